import QtQuick
import QtQuick.Layouts
import Snug.Models
import Snug.Style
import Snug.Parts

// The chat's name, the promise that it stays here, and the menu of the chat.
Item {
    id: root

    required property ChatModel chat
    property bool isListShown: true
    readonly property bool hasChat: chat.conversation.chatId !== 0
    signal listAsked
    signal newAsked
    signal renameAsked
    signal saveAsked

    implicitHeight: 56

    RowLayout {
        anchors.fill: parent
        anchors.leftMargin: Theme.spaceXl
        anchors.rightMargin: 22
        spacing: 6

        IconButton {
            objectName: "showList"
            visible: !root.isListShown
            iconName: "panel-left-open"
            label: qsTr("Show the list of chats")
            Layout.leftMargin: -12
            onClicked: root.listAsked()
        }
        IconButton {
            objectName: "newChat"
            visible: !root.isListShown
            iconName: "square-pen"
            label: qsTr("New chat")
            onClicked: root.newAsked()
        }
        StrongText {
            objectName: "chatTitle"
            text: root.hasChat ? root.chat.conversation.title : qsTr("New chat")
            Accessible.role: Accessible.Heading
            Layout.fillWidth: true
        }
        Pill {
            text: qsTr("Nothing leaves this computer")
            iconName: "lock"
            visible: root.width > 520 * Theme.textScale
        }
        IconButton {
            objectName: "chatMenu"
            visible: root.hasChat
            iconName: "ellipsis"
            outlined: true
            label: qsTr("The menu of this chat")
            onClicked: menu.open()

            ActionMenu {
                id: menu
                y: parent.height
                x: parent.width - width

                ActionItem {
                    objectName: "renameChat"
                    text: qsTr("Rename…")
                    iconName: "pencil"
                    onTriggered: root.renameAsked()
                }
                ActionItem {
                    objectName: "copyChat"
                    text: qsTr("Copy the whole chat")
                    iconName: "copy"
                    onTriggered: root.chat.copyChat()
                }
                ActionItem {
                    objectName: "saveChat"
                    text: qsTr("Save as text…")
                    iconName: "file-text"
                    onTriggered: root.saveAsked()
                }
                ActionItem {
                    objectName: "deleteChat"
                    text: qsTr("Delete")
                    iconName: "trash-2"
                    danger: true
                    onTriggered: root.chat.list.remove(root.chat.conversation.chatId)
                }
            }
        }
    }
    Divider {
        anchors.bottom: parent.bottom
        width: parent.width
    }
}
