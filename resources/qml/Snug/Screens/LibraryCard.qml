pragma ComponentBehavior: Bound
import QtQuick
import QtQuick.Layouts
import Snug.Models
import Snug.Style
import Snug.Parts

// One model of the library: what it is, whether it can be used, and what to do with it.
Card {
    id: root

    required property LibraryModelView library
    required property int index
    required property int modelId
    required property string name
    required property string line
    required property string phase
    required property string stateText
    required property string verdictKind
    required property string verdictText
    required property string figures
    required property string iconId
    required property bool canChat
    required property bool canRemove
    required property bool canFind
    required property string path
    required property string details
    signal findAsked
    readonly property bool isFirst: index === 0 && !library.isEmpty

    objectName: "model" + modelId
    Accessible.role: Accessible.Grouping
    Accessible.name: name + ". " + verdictText + ". " + line

    contentItem: ColumnLayout {
        spacing: 0

        RowLayout {
            spacing: Theme.spaceL

            TintedIcon {
                name: root.iconId
                size: 22
                color: root.canChat ? Theme.accent : Theme.quiet
                Layout.alignment: Qt.AlignTop
                Layout.topMargin: 4
            }
            ColumnLayout {
                spacing: 2
                Layout.fillWidth: true

                StrongText {
                    text: root.name
                    Layout.fillWidth: true
                }
                SmallText {
                    text: root.line
                    Layout.fillWidth: true
                }
                SmallText {
                    visible: root.stateText !== ""
                    text: root.stateText
                    color: Theme.tightText
                    wrapMode: Text.Wrap
                    Layout.fillWidth: true
                }
            }
            ColumnLayout {
                spacing: 2
                Layout.alignment: Qt.AlignRight

                Badge {
                    kind: root.verdictKind
                    text: root.verdictText
                    Layout.alignment: Qt.AlignRight
                }
                CaptionText {
                    text: root.figures
                    Layout.alignment: Qt.AlignRight
                }
            }
            PrimaryButton {
                objectName: "libraryChat"
                visible: root.canChat && root.isFirst
                text: qsTr("Chat")
                onClicked: root.library.chat(root.modelId)
            }
            QuietButton {
                objectName: "libraryChat"
                visible: root.canChat && !root.isFirst
                text: qsTr("Chat")
                onClicked: root.library.chat(root.modelId)
            }
            PrimaryButton {
                objectName: "libraryFind"
                visible: root.canFind
                text: qsTr("Find it…")
                onClicked: root.findAsked()
            }
            IconButton {
                objectName: "libraryMenu"
                iconName: "ellipsis"
                label: qsTr("More for %1").arg(root.name)
                outlined: true
                onClicked: menu.open()

                ActionMenu {
                    id: menu
                    y: parent ? parent.height : 0

                    ActionItem {
                        objectName: "libraryRename"
                        text: qsTr("Rename")
                        iconName: "pencil"
                        onTriggered: renameAsk.open()
                    }
                    ActionItem {
                        objectName: "libraryCheck"
                        text: qsTr("Check the file")
                        iconName: "refresh-cw"
                        enabled: root.phase !== "not_connected" && root.phase !== "missing"
                        onTriggered: root.library.check(root.modelId)
                    }
                    ActionItem {
                        objectName: "librarySmaller"
                        visible: root.canChat
                        text: qsTr("Make it smaller…")
                        iconName: "shrink"
                        onTriggered: root.library.makeSmaller(root.modelId)
                    }
                    ActionItem {
                        objectName: "libraryRemove"
                        visible: root.canRemove
                        text: qsTr("Remove…")
                        iconName: "trash-2"
                        danger: true
                        onTriggered: {
                            removeAsk.text = root.library.removalWords(root.modelId);
                            removeAsk.open();
                        }
                    }
                }
            }
        }
        Fold {
            text: qsTr("File and figures")
            Layout.fillWidth: true
            Layout.bottomMargin: open ? 0 : -Theme.spaceS

            SmallText {
                text: root.details
                font.family: Theme.codeFamily
                wrapMode: Text.WrapAnywhere
                Layout.fillWidth: true
            }
        }
    }

    AskDialog {
        id: renameAsk
        objectName: "renameAsk"
        title: qsTr("Rename the model")
        confirmText: qsTr("Rename")
        canConfirm: newName.text.trim() !== ""
        onAboutToShow: newName.text = root.name
        onAccepted: root.library.rename(root.modelId, newName.text)

        TextEntry {
            id: newName
            objectName: "newName"
            label: qsTr("Name")
            maximumLength: 200
            Layout.fillWidth: true
        }
    }
    AskDialog {
        id: removeAsk
        objectName: "removeAsk"
        title: qsTr("Remove %1?").arg(root.name)
        confirmText: qsTr("Remove")
        danger: true
        onAccepted: root.library.remove(root.modelId)
    }
}
