import QtQuick
import QtQuick.Controls.Basic
import Snug.Style
import Snug.Parts

// One chat of the list: its name, and who answers in it.
AbstractButton {
    id: root

    required property int chatId
    required property string title
    required property string detail
    required property bool isCurrent
    property bool isInBin: false
    signal opened(int chatId)
    signal removeAsked(int chatId)
    signal restoreAsked(int chatId)
    signal endAsked(int chatId, string title)

    objectName: "chat" + chatId
    implicitHeight: Math.max(56, words.implicitHeight + Theme.spaceL)
    leftPadding: Theme.spaceM
    rightPadding: Theme.spaceM
    focusPolicy: Qt.StrongFocus
    hoverEnabled: true
    text: title
    Accessible.role: Accessible.ListItem
    Accessible.name: title
    Accessible.description: detail
    Accessible.selected: isCurrent
    onClicked: root.opened(root.chatId)
    Keys.onReturnPressed: root.click()
    Keys.onEnterPressed: root.click()
    Keys.onDeletePressed: root.isInBin ? root.endAsked(root.chatId, root.title) : root.removeAsked(root.chatId)

    contentItem: Item {
        Column {
            id: words
            anchors.verticalCenter: parent.verticalCenter
            width: parent.width - (root.isInBin ? 68 : 0)
            spacing: 3

            StrongText {
                width: parent.width
                text: root.title
                font.pixelSize: Math.round(14 * Theme.textScale)
                font.weight: root.isCurrent ? Font.DemiBold : Font.Normal
                Accessible.ignored: true
            }
            CaptionText {
                width: parent.width
                text: root.detail
                Accessible.ignored: true
            }
        }
        // Never the title in these labels: the toolkit's tooltips read mark-up.
        Row {
            visible: root.isInBin
            anchors.right: parent.right
            anchors.rightMargin: -10
            anchors.verticalCenter: parent.verticalCenter

            IconButton {
                objectName: "restoreChat"
                iconName: "undo-2"
                label: qsTr("Bring this chat back")
                Accessible.description: root.title
                onClicked: root.restoreAsked(root.chatId)
            }
            IconButton {
                objectName: "endChat"
                iconName: "trash-2"
                label: qsTr("Delete this chat for good")
                Accessible.description: root.title
                onClicked: root.endAsked(root.chatId, root.title)
            }
        }
    }
    background: Rectangle {
        radius: Theme.controlRadius
        color: root.isCurrent ? Theme.accentSoft : root.hovered ? Theme.hover : "transparent"

        FocusRing {
            shown: root.visualFocus
            gap: 0
        }
    }
}
