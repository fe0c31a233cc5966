import QtQuick
import Snug.Style
import Snug.Parts

// After a deletion: what went, and the way back, for ten seconds.
Rectangle {
    id: root

    property int chatId: 0
    property string title: ""
    signal undoAsked(int chatId)

    function show(chatId: int, title: string): void {
        root.chatId = chatId;
        root.title = title;
        hide.restart();
    }

    visible: hide.running
    width: Math.min(420, parent ? parent.width - 2 * Theme.spaceXl : 420)
    height: 52
    radius: Theme.cardRadius
    color: Theme.surface
    border.width: 1
    border.color: Theme.line
    Accessible.role: Accessible.AlertMessage
    Accessible.name: words.text

    SmallText {
        id: words
        anchors.verticalCenter: parent.verticalCenter
        x: Theme.spaceL
        width: parent.width - undo.width - 2 * Theme.spaceL
        text: qsTr("“%1” is in the bin").arg(root.title)
        color: Theme.text
    }
    LinkButton {
        id: undo
        objectName: "undoDelete"
        anchors.right: parent.right
        anchors.rightMargin: Theme.spaceS
        anchors.verticalCenter: parent.verticalCenter
        text: qsTr("Bring it back")
        iconName: "undo-2"
        onClicked: {
            hide.stop();
            root.undoAsked(root.chatId);
        }
    }
    Timer {
        id: hide
        interval: 10000
    }
}
