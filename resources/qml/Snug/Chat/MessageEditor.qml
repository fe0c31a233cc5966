import QtQuick
import QtQuick.Controls.Basic
import Snug.Style
import Snug.Parts

// A message of one's own that is written anew, in its place.
Item {
    id: root

    property bool canAnswer: true
    property alias text: editor.text
    signal cancelled
    signal sent(string text)

    implicitHeight: editor.implicitHeight + 62
    Component.onCompleted: editor.forceActiveFocus()

    TextArea {
        id: editor
        objectName: "editor"
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
        Keys.onEscapePressed: root.cancelled()
    }
    Row {
        anchors.right: parent.right
        anchors.bottom: parent.bottom
        anchors.margins: Theme.spaceM
        spacing: Theme.spaceS

        QuietButton {
            objectName: "cancelEdit"
            text: qsTr("Cancel")
            onClicked: root.cancelled()
        }
        PrimaryButton {
            objectName: "sendEdit"
            text: qsTr("Send again")
            enabled: root.canAnswer && editor.text.trim() !== ""
            onClicked: root.sent(editor.text)
        }
    }
}
