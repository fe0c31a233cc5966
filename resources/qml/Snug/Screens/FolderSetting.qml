pragma ComponentBehavior: Bound
import QtQuick
import QtQuick.Layouts
import Snug.Style
import Snug.Parts

// A folder: its path, and a button that lets the person choose another.
RowLayout {
    id: root

    required property string title
    required property string path
    signal chosen(url folder)

    spacing: Theme.spaceS

    SmallText {
        text: root.path === "" ? qsTr("Snug's own folder") : root.path
        elide: Text.ElideMiddle
        horizontalAlignment: Text.AlignRight
        Layout.maximumWidth: 240
    }
    QuietButton {
        text: qsTr("Choose…")
        iconName: "folder-open"
        Accessible.name: qsTr("Choose: %1").arg(root.title)
        onClicked: dialog.active = true
    }
    Loader {
        id: dialog
        active: false
        visible: false
        source: "FolderQuestion.qml"
        onLoaded: (item as FolderQuestion).open()

        Connections {
            target: dialog.item as FolderQuestion

            function onAccepted(): void {
                root.chosen((dialog.item as FolderQuestion).selectedFolder);
                dialog.active = false;
            }
            function onRejected(): void {
                dialog.active = false;
            }
        }
    }
}
