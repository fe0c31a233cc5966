pragma ComponentBehavior: Bound
import QtQuick
import QtQuick.Controls.Basic
import Snug.Models
import Snug.Style
import Snug.Parts

// The list of chats: new, search, grouped by day, and the bin at its foot.
Item {
    id: root

    required property ChatList list
    signal newAsked
    signal foldAsked
    signal endAsked(int chatId, string title)

    function takeFocus(): void {
        find.forceActiveFocus();
        find.selectAll();
    }

    HeadingText {
        x: Theme.spaceL
        y: 14 + (Theme.hitHeight - height) / 2
        text: root.list.isBinOpen ? qsTr("Bin") : qsTr("Chats")
    }
    Row {
        anchors.right: parent.right
        anchors.rightMargin: 14
        y: 14

        IconButton {
            objectName: "foldList"
            iconName: "panel-left-close"
            label: qsTr("Fold the list of chats")
            onClicked: root.foldAsked()
        }
        IconButton {
            objectName: "newChat"
            iconName: "square-pen"
            outlined: true
            label: qsTr("New chat")
            onClicked: root.newAsked()
        }
    }
    TextEntry {
        id: find
        objectName: "searchChats"
        x: Theme.spaceM
        y: 22 + Theme.hitHeight
        width: parent.width - 2 * Theme.spaceM
        enabled: !root.list.isBinOpen
        iconName: "search"
        label: qsTr("Search all chats")
        placeholderText: qsTr("Search all chats")
        font.pixelSize: Theme.smallSize + 1
        onTextEdited: wait.restart()
        onTextChanged: {
            if (text === "")
                root.list.search("");
        }

        Timer {
            id: wait
            interval: 150
            onTriggered: root.list.search(find.text)
        }
    }
    ListView {
        id: view
        objectName: "chats"
        anchors.top: find.bottom
        anchors.topMargin: Theme.spaceXs
        anchors.bottom: foot.top
        x: Theme.spaceM
        width: parent.width - 2 * Theme.spaceM
        clip: true
        spacing: 2
        boundsBehavior: Flickable.StopAtBounds
        model: root.list.rows
        section.property: "group"
        section.delegate: CaptionText {
            required property string section

            width: ListView.view.width
            height: 36
            leftPadding: Theme.spaceM
            bottomPadding: 6
            verticalAlignment: Text.AlignBottom
            text: section
            Accessible.role: Accessible.Heading
        }
        ScrollBar.vertical: QuietScrollBar {}
        Accessible.role: Accessible.List
        Accessible.name: qsTr("Chats")

        delegate: SidebarRow {
            width: view.width
            isInBin: root.list.isBinOpen
            onOpened: number => root.list.open(number)
            onRemoveAsked: number => root.list.remove(number)
            onRestoreAsked: number => root.list.restore(number)
            onEndAsked: (number, title) => root.endAsked(number, title)
        }
    }
    SmallText {
        visible: root.list.emptyText !== ""
        anchors.top: view.top
        anchors.topMargin: Theme.spaceXl
        x: Theme.spaceXl
        width: parent.width - 2 * Theme.spaceXl
        text: root.list.emptyText
        wrapMode: Text.Wrap
    }
    AbstractButton {
        id: foot
        objectName: "bin"
        anchors.bottom: parent.bottom
        anchors.bottomMargin: Theme.spaceM
        x: Theme.spaceM
        width: parent.width - 2 * Theme.spaceM
        implicitHeight: Theme.hitHeight
        leftPadding: Theme.spaceM
        focusPolicy: Qt.StrongFocus
        hoverEnabled: true
        text: root.list.isBinOpen ? qsTr("Back to the chats") : qsTr("Bin, kept for %1").arg(root.list.binTime)
        Accessible.role: Accessible.Button
        Accessible.name: text
        onClicked: root.list.showBin(!root.list.isBinOpen)
        Keys.onReturnPressed: foot.click()

        contentItem: Row {
            spacing: Theme.spaceS

            TintedIcon {
                anchors.verticalCenter: parent.verticalCenter
                name: root.list.isBinOpen ? "chevron-left" : "trash-2"
                size: 16
                color: Theme.quiet
            }
            SmallText {
                anchors.verticalCenter: parent.verticalCenter
                width: Math.min(implicitWidth, foot.width - 40)
                text: foot.text
                Accessible.ignored: true
            }
        }
        background: Rectangle {
            radius: Theme.controlRadius
            color: foot.hovered ? Theme.hover : "transparent"

            FocusRing {
                shown: foot.visualFocus
                gap: 0
            }
        }
    }
    Divider {
        anchors.right: parent.right
        height: parent.height
    }
}
