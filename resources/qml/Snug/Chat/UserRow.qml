pragma ComponentBehavior: Bound
import QtQuick
import Snug.Style
import Snug.Parts

// What the person wrote, on a raised surface at the right; it can be copied, and sent again in other words.
Item {
    id: root

    required property int messageId
    required property string text
    required property string rich
    required property string note
    required property string marker
    required property bool canGoBack
    required property bool canGoForward
    property bool canAnswer: true
    property bool isEditing: false
    property string wholeText: ""
    signal copyAsked(int messageId)
    signal changeAsked(int messageId)
    signal editAsked(int messageId, string text)
    signal stepAsked(int messageId, int step)

    function beginChange(whole: string): void {
        root.wholeText = whole;
        root.isEditing = true;
    }

    readonly property real most: Math.round(width * 0.8)

    implicitHeight: bubble.height + 16 + 12 + (marker !== "" && !isEditing ? 32 : 0)

    HoverHandler {
        id: hover
    }
    Rectangle {
        id: bubble
        anchors.right: parent.right
        y: 16
        width: root.isEditing ? root.width : Math.min(root.most, words.implicitWidth + 34)
        height: (root.isEditing ? editing.height : words.height + more.height + 20)
        radius: Theme.cardRadius
        color: Theme.raised
        border.width: 1
        border.color: Theme.line

        ReadingText {
            id: words
            visible: !root.isEditing
            x: 17
            y: 10
            width: Math.min(implicitWidth, root.most - 34)
            rich: root.rich
            plain: qsTr("You: %1").arg(root.text)
        }
        SmallText {
            id: more
            visible: root.note !== "" && !root.isEditing
            x: 17
            anchors.bottom: parent.bottom
            anchors.bottomMargin: 8
            height: visible ? implicitHeight + 4 : 0
            text: root.note
        }
        Loader {
            id: editing
            active: root.isEditing
            width: parent.width
            sourceComponent: MessageEditor {
                text: root.wholeText
                canAnswer: root.canAnswer
                onCancelled: root.isEditing = false
                onSent: words => {
                    root.isEditing = false;
                    root.editAsked(root.messageId, words);
                }
            }
        }
    }
    Row {
        readonly property bool shown: hover.hovered || copy.activeFocus || edit.activeFocus

        visible: !root.isEditing
        opacity: shown ? 1 : 0
        anchors.right: bubble.left
        anchors.rightMargin: 2
        anchors.top: bubble.top
        anchors.topMargin: 2

        IconButton {
            id: edit
            objectName: "editMessage"
            iconName: "pencil"
            iconSize: 16
            enabled: root.canAnswer
            label: qsTr("Change and send again")
            onClicked: root.changeAsked(root.messageId)
        }
        IconButton {
            id: copy
            objectName: "copyUserMessage"
            iconName: "copy"
            iconSize: 16
            label: qsTr("Copy your message")
            onClicked: root.copyAsked(root.messageId)
        }
    }
    Loader {
        active: root.marker !== "" && !root.isEditing
        anchors.right: parent.right
        anchors.rightMargin: -8
        anchors.top: bubble.bottom
        sourceComponent: VersionSwitch {
            words: root.marker
            canGoBack: root.canGoBack && root.canAnswer
            canGoForward: root.canGoForward && root.canAnswer
            onStepAsked: step => root.stepAsked(root.messageId, step)
        }
    }
}
