pragma ComponentBehavior: Bound
import QtQuick
import Snug.Models
import Snug.Parts

// Why a model could not be got, with one button that tries again.
ErrorCard {
    id: root

    property QtObject getting: null
    readonly property Getting source: getting as Getting

    objectName: "gettingProblem"
    visible: title !== ""
    kind: "tight"
    title: source ? source.problemTitle : ""
    text: source ? source.problemAdvice : ""
    actionText: qsTr("Try again")
    onAction: source.tryAgain()
}
