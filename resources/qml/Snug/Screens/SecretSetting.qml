pragma ComponentBehavior: Bound
import QtQuick
import QtQuick.Layouts
import Snug.Style
import Snug.Parts

// A secret: written once, then only where it is kept is shown.
ColumnLayout {
    id: root

    required property string title
    required property string kept
    signal keep(string text)

    spacing: Theme.spaceXs

    RowLayout {
        spacing: Theme.spaceS

        TextEntry {
            id: entry
            objectName: root.objectName + "_entry"
            label: root.title
            echoMode: TextInput.Password
            placeholderText: root.kept === "" ? "" : qsTr("a token is kept")
            clearable: false
            Layout.preferredWidth: 200
            onAccepted: save.click()
        }
        QuietButton {
            id: save
            text: qsTr("Keep")
            enabled: entry.text !== ""
            onClicked: {
                root.keep(entry.text);
                entry.clear();
            }
        }
    }
    CaptionText {
        visible: root.kept !== ""
        text: root.kept
        wrapMode: Text.Wrap
        Layout.maximumWidth: 280
    }
}
