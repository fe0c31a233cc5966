pragma ComponentBehavior: Bound
import QtQuick
import QtQuick.Dialogs
import Snug.Models
import Snug.Style
import Snug.Parts

// Talking: the list of chats, the open one, and the composer at its foot.
Item {
    id: root

    required property ChatModel model
    property bool isListShown: width > 720 * Theme.roomScale

    Component.onCompleted: {
        root.model.conversation.useDarkColours(Theme.dark);
        composer.takeFocus();
    }
    onVisibleChanged: {
        if (visible) {
            root.model.refresh();
            composer.takeFocus();
        }
    }

    Connections {
        target: Theme

        function onDarkChanged(): void {
            root.model.conversation.useDarkColours(Theme.dark);
        }
    }
    Connections {
        target: root.model.list

        function onDeleted(chatId: int, title: string): void {
            undo.show(chatId, title);
        }
    }
    Shortcut {
        sequences: [StandardKey.New]
        enabled: root.visible
        onActivated: root.startNew()
    }
    Shortcut {
        sequences: [StandardKey.Find]
        enabled: root.visible
        onActivated: {
            root.isListShown = true;
            sidebar.takeFocus();
        }
    }
    Shortcut {
        sequence: "Esc"
        enabled: root.visible && root.model.composer.isAnswering && !question.opened && !rename.opened && !ending.opened
        onActivated: root.model.composer.stop()
    }

    function startNew(): void {
        root.model.newChat();
        composer.takeFocus();
    }

    ChatSidebar {
        id: sidebar
        visible: root.isListShown
        width: visible ? 256 : 0
        height: parent.height
        list: root.model.list
        onNewAsked: root.startNew()
        onFoldAsked: root.isListShown = false
        onEndAsked: (number, title) => ending.ask(number, title)
    }
    Item {
        anchors.left: sidebar.right
        anchors.right: parent.right
        height: parent.height

        ChatTitleBar {
            id: bar
            width: parent.width
            chat: root.model
            isListShown: root.isListShown
            onListAsked: root.isListShown = true
            onNewAsked: root.startNew()
            onRenameAsked: rename.ask()
            onSaveAsked: {
                saving.active = true;
                (saving.item as FileDialog).open();
            }
        }
        ConversationView {
            anchors.top: bar.bottom
            anchors.bottom: composer.top
            width: parent.width
            chat: root.model
            onLinkAsked: address => question.ask(address)
        }
        FirstWords {
            visible: root.model.conversation.isEmpty
            anchors.centerIn: parent
            anchors.verticalCenterOffset: -24
            width: Math.min(Theme.readingWidth, parent.width - 2 * Theme.spaceXl)
            canSend: root.model.composer.canSend
            onChosen: words => composer.write(words)
        }
        Composer {
            id: composer
            anchors.bottom: parent.bottom
            anchors.bottomMargin: 20
            anchors.horizontalCenter: parent.horizontalCenter
            width: Math.min(Theme.readingWidth, parent.width - 2 * Theme.spaceXl)
            composer: root.model.composer
        }
        UndoNote {
            id: undo
            anchors.bottom: composer.top
            anchors.bottomMargin: Theme.spaceM
            anchors.horizontalCenter: parent.horizontalCenter
            onUndoAsked: chatId => root.model.list.restore(chatId)
        }
    }
    LinkQuestion {
        id: question
        onAgreed: address => root.model.openAddress(address)
    }
    AskDialog {
        id: rename

        function ask(): void {
            name.text = root.model.conversation.title;
            rename.open();
            name.forceActiveFocus();
            name.selectAll();
        }

        objectName: "rename"
        title: qsTr("Rename this chat")
        confirmText: qsTr("Rename")
        canConfirm: name.text.trim() !== ""
        onAccepted: root.model.list.rename(root.model.conversation.chatId, name.text)

        TextEntry {
            id: name
            objectName: "newTitle"
            width: parent.width
            label: qsTr("Name of the chat")
            maximumLength: 200
            onAccepted: {
                if (rename.canConfirm)
                    rename.accept();
            }
        }
    }
    AskDialog {
        id: ending

        property int chatId: 0

        function ask(number: int, title: string): void {
            ending.chatId = number;
            ending.text = qsTr("“%1” and all its messages are deleted. Nothing brings them back.").arg(title);
            ending.open();
        }

        objectName: "ending"
        title: qsTr("Delete this chat for good?")
        confirmText: qsTr("Delete for good")
        danger: true
        onAccepted: root.model.list.removeForGood(ending.chatId)
    }
    Loader {
        id: saving
        active: false
        sourceComponent: FileDialog {
            objectName: "saveDialog"
            title: qsTr("Save the chat as text")
            fileMode: FileDialog.SaveFile
            defaultSuffix: "txt"
            nameFilters: [qsTr("Text (*.txt)")]
            onAccepted: root.model.saveChat(selectedFile)
        }
    }
}
