pragma ComponentBehavior: Bound
import QtQuick
import QtQuick.Controls.Basic
import Snug.Style
import Snug.Parts

// Under an answer: copy, answer again, its versions; at the right how fast it came, and on a press the tokens.
Item {
    id: root

    required property int messageId
    required property string marker
    required property string note
    required property string details
    required property bool isLast
    required property bool canGoBack
    required property bool canGoForward
    property bool canAnswer: true
    property bool showsDetails: false
    signal copyAsked(int messageId)
    signal againAsked(int messageId)
    signal stepAsked(int messageId, int step)

    implicitHeight: Theme.controlHeight

    Row {
        id: actions
        x: -11

        IconButton {
            objectName: "copyMessage"
            iconName: "copy"
            label: qsTr("Copy this answer")
            onClicked: root.copyAsked(root.messageId)
        }
        IconButton {
            objectName: "answerAgain"
            visible: root.isLast
            enabled: root.canAnswer
            iconName: "refresh-cw"
            label: qsTr("Answer again")
            onClicked: root.againAsked(root.messageId)
        }
        Loader {
            active: root.marker !== ""
            sourceComponent: VersionSwitch {
                words: root.marker
                canGoBack: root.canGoBack && root.canAnswer
                canGoForward: root.canGoForward && root.canAnswer
                onStepAsked: step => root.stepAsked(root.messageId, step)
            }
        }
    }
    AbstractButton {
        id: speed
        objectName: "speed"
        visible: root.note !== ""
        anchors.right: parent.right
        width: Math.min(implicitWidth, root.width - actions.width)
        height: Theme.hitHeight
        focusPolicy: Qt.TabFocus
        hoverEnabled: true
        text: root.showsDetails ? root.details : root.note
        onClicked: root.showsDetails = !root.showsDetails
        Accessible.role: Accessible.Button
        Accessible.name: text
        Accessible.description: qsTr("Press for the engine's own figures")
        Keys.onReturnPressed: speed.click()

        contentItem: SmallText {
            text: speed.text
            verticalAlignment: Text.AlignVCenter
            color: speed.hovered ? Theme.text : Theme.quiet
            Accessible.ignored: true
        }
        background: Item {
            FocusRing {
                shown: speed.visualFocus
                gap: 0
            }
        }
    }
}
