pragma ComponentBehavior: Bound
import QtQuick
import QtQuick.Controls.Basic
import QtQml.Models
import Snug.Models
import Snug.Style
import Snug.Parts

// The messages at reading width: a bounded window of rows that keeps to the end unless the person scrolled up.
Item {
    id: root

    required property ChatModel chat
    property real bottomMargin: 0
    readonly property bool canAnswer: chat.composer.canSend
    property bool sticks: true
    property real fromEnd: -1
    signal linkAsked(string address)

    function toEnd(): void {
        root.sticks = true;
        root.fromEnd = -1;
        view.contentY = Math.max(0, view.contentHeight - view.height);
    }

    Connections {
        target: root.chat.conversation

        function onNewestShown(): void {
            root.toEnd();
        }
        function onAboutToPrepend(): void {
            root.fromEnd = view.contentHeight - view.contentY;
            keepPlace.restart();
        }
    }
    Timer {
        id: keepPlace
        interval: 200
        onTriggered: root.fromEnd = -1
    }

    Flickable {
        id: view
        objectName: "messages"
        anchors.fill: parent
        contentWidth: width
        contentHeight: column.height
        clip: true
        boundsBehavior: Flickable.StopAtBounds
        activeFocusOnTab: true
        ScrollBar.vertical: QuietScrollBar {
            id: bar
        }
        Accessible.role: Accessible.List
        Accessible.name: qsTr("Messages")

        Keys.onPressed: event => {
            const step = event.key === Qt.Key_PageUp ? -height * 0.9 : event.key === Qt.Key_PageDown ? height * 0.9 : event.key === Qt.Key_Up ? -48 : event.key === Qt.Key_Down ? 48 : event.key === Qt.Key_Home ? -contentHeight : event.key === Qt.Key_End ? contentHeight : 0;
            event.accepted = step !== 0;
            if (step !== 0)
                contentY = Math.max(0, Math.min(contentHeight - height, contentY + step));
        }
        onContentHeightChanged: {
            if (root.fromEnd >= 0)
                contentY = contentHeight - root.fromEnd;
            else if (root.sticks)
                contentY = Math.max(0, contentHeight - height);
        }
        onHeightChanged: {
            if (root.sticks)
                contentY = Math.max(0, contentHeight - height);
        }
        onContentYChanged: {
            if (root.fromEnd < 0 && (moving || activeFocus || bar.pressed))
                root.sticks = contentY >= contentHeight - height - 24;
            if (!root.sticks && contentY < 200 && root.chat.conversation.hasOlder)
                Qt.callLater(root.chat.conversation.loadOlder);
        }

        WheelHandler {
            id: wheel
            acceptedDevices: PointerDevice.Mouse | PointerDevice.TouchPad
            onWheel: event => {
                const step = event.pixelDelta.y !== 0 ? event.pixelDelta.y : event.angleDelta.y * 0.6;
                view.contentY = Math.max(0, Math.min(view.contentHeight - view.height, view.contentY - step));
                root.sticks = view.contentY >= view.contentHeight - view.height - 24;
            }
        }

        Column {
            id: column
            width: Math.min(Theme.readingWidth, view.width - 2 * Theme.spaceXl)
            x: Math.round((view.width - width) / 2)
            topPadding: Theme.spaceS
            bottomPadding: Theme.spaceXl

            LinkButton {
                objectName: "earlier"
                visible: root.chat.conversation.hasOlder
                anchors.horizontalCenter: parent.horizontalCenter
                text: qsTr("Show earlier messages")
                iconName: "arrow-up"
                onClicked: root.chat.conversation.loadOlder()
            }
            Repeater {
                model: root.chat.conversation.rows
                delegate: rows
            }
        }
    }
    Rectangle {
        anchors.fill: view
        anchors.margins: 2
        visible: view.activeFocus
        color: "transparent"
        radius: Theme.controlRadius
        border.width: 2
        border.color: Theme.focus
    }
    DelegateChooser {
        id: rows
        role: "kind"

        DelegateChoice {
            roleValue: "user"
            UserRow {
                width: column.width
                canAnswer: root.canAnswer
                onCopyAsked: number => root.chat.copyMessage(number)
                onChangeAsked: number => beginChange(root.chat.conversation.textOf(number))
                onEditAsked: (number, words) => root.chat.composer.editAndSend(number, words)
                onStepAsked: (number, step) => root.chat.composer.showAlternative(number, step)
            }
        }
        DelegateChoice {
            roleValue: "prose"
            ProseRow {
                width: column.width
                onLinkAsked: address => root.linkAsked(address)
            }
        }
        DelegateChoice {
            roleValue: "heading"
            HeadingRow {
                width: column.width
                onLinkAsked: address => root.linkAsked(address)
            }
        }
        DelegateChoice {
            roleValue: "item"
            ItemRow {
                width: column.width
                onLinkAsked: address => root.linkAsked(address)
            }
        }
        DelegateChoice {
            roleValue: "code"
            CodeRow {
                width: column.width
                onCopyAsked: text => root.chat.copyText(text)
            }
        }
        DelegateChoice {
            roleValue: "table"
            TableRow {
                width: column.width
            }
        }
        DelegateChoice {
            roleValue: "rule"
            RuleRow {
                width: column.width
            }
        }
        DelegateChoice {
            roleValue: "thought"
            ThoughtRow {
                width: column.width
            }
        }
        DelegateChoice {
            roleValue: "waiting"
            WaitingRow {
                width: column.width
            }
        }
        DelegateChoice {
            roleValue: "notice"
            NoticeRow {
                width: column.width
            }
        }
        DelegateChoice {
            roleValue: "problem"
            ProblemRow {
                width: column.width
                onMendAsked: number => root.chat.composer.answerAgain(number)
                onCopyAsked: text => root.chat.copyText(text)
            }
        }
        DelegateChoice {
            roleValue: "actions"
            ActionsRow {
                width: column.width
                canAnswer: root.canAnswer
                onCopyAsked: number => root.chat.copyMessage(number)
                onAgainAsked: number => root.chat.composer.answerAgain(number)
                onStepAsked: (number, step) => root.chat.composer.showAlternative(number, step)
            }
        }
    }
    QuietButton {
        objectName: "newest"
        visible: root.chat.conversation.hasNewer || (!root.sticks && view.contentY < view.contentHeight - view.height - 80)
        anchors.horizontalCenter: parent.horizontalCenter
        anchors.bottom: parent.bottom
        anchors.bottomMargin: Theme.spaceS
        text: qsTr("Newest")
        iconName: "arrow-down"
        Accessible.name: qsTr("Jump to the newest message")
        onClicked: root.chat.conversation.showNewest()
    }
}
