import QtQuick
import QtQuick.Controls.Basic
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
    signal copyAsked(int messageId)
    signal editAsked(int messageId, string text)
    signal stepAsked(int messageId, int step)

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
        height: (root.isEditing ? editor.height + 62 : words.height + more.height) + 20
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
        TextArea {
            id: editor
            objectName: "editor"
            visible: root.isEditing
            x: 9
            y: 6
            width: parent.width - 18
            textFormat: TextEdit.PlainText
            wrapMode: TextEdit.Wrap
            color: Theme.text
            selectionColor: Theme.accent
            selectedTextColor: Theme.inkOnAccent
            font.pixelSize: Theme.bodySize
            background: null
            Accessible.role: Accessible.EditableText
            Accessible.name: qsTr("Your message")
            Keys.onEscapePressed: root.isEditing = false
        }
        Row {
            visible: root.isEditing
            anchors.right: parent.right
            anchors.bottom: parent.bottom
            anchors.margins: Theme.spaceM
            spacing: Theme.spaceS

            QuietButton {
                objectName: "cancelEdit"
                text: qsTr("Cancel")
                onClicked: root.isEditing = false
            }
            PrimaryButton {
                objectName: "sendEdit"
                text: qsTr("Send again")
                enabled: root.canAnswer && editor.text.trim() !== ""
                onClicked: {
                    root.isEditing = false;
                    root.editAsked(root.messageId, editor.text);
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
            onClicked: {
                editor.text = root.text;
                root.isEditing = true;
                editor.forceActiveFocus();
            }
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
    VersionSwitch {
        visible: root.marker !== "" && !root.isEditing
        anchors.right: parent.right
        anchors.rightMargin: -8
        anchors.top: bubble.bottom
        words: root.marker
        canGoBack: root.canGoBack && root.canAnswer
        canGoForward: root.canGoForward && root.canAnswer
        onStepAsked: step => root.stepAsked(root.messageId, step)
    }
}
