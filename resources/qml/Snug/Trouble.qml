pragma ComponentBehavior: Bound
import QtQuick
import QtQuick.Layouts
import Snug.Models
import Snug.Style
import Snug.Parts

// What keeps Snug from working at all, over everything else.
Rectangle {
    id: root

    required property AppModel app

    color: Theme.window

    ErrorCard {
        objectName: "trouble"
        anchors.centerIn: parent
        width: Math.min(560, parent.width - 2 * Theme.spaceXl)
        title: root.app.troubleTitle
        text: root.app.troubleText
        details: root.app.troubleDetails
        actionText: qsTr("Close Snug")
        onAction: Qt.quit()
        onCopyDetails: text => root.app.copy(text)
    }
}
