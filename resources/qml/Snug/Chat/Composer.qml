import QtQuick
import QtQuick.Controls.Basic
import QtQuick.Layouts
import Snug.Models
import Snug.Style
import Snug.Parts

// The foot of the screen: what to write, who answers, what will happen, and send or stop in one place.
Rectangle {
    id: root

    required property ChatComposer composer
    signal sent

    function takeFocus(): void {
        entry.forceActiveFocus();
    }
    function write(text: string): void {
        entry.text = text;
        root.send();
    }
    function send(): void {
        if (root.composer.send(entry.text)) {
            entry.clear();
            root.sent();
        }
    }

    implicitHeight: column.implicitHeight + 30
    radius: Theme.cardRadius
    color: Theme.surface
    border.width: 1
    border.color: Theme.cardLine

    Column {
        id: column
        x: 20
        y: 14
        width: parent.width - 40
        spacing: Theme.spaceS

        Flickable {
            width: parent.width
            height: Math.min(200, Math.max(34, entry.implicitHeight))
            contentWidth: width
            contentHeight: entry.implicitHeight
            clip: true
            boundsBehavior: Flickable.StopAtBounds
            ScrollBar.vertical: QuietScrollBar {}

            TextArea.flickable: TextArea {
                id: entry
                objectName: "entry"
                leftPadding: 0
                rightPadding: 0
                topPadding: 6
                bottomPadding: 6
                textFormat: TextEdit.PlainText
                wrapMode: TextEdit.Wrap
                placeholderText: qsTr("Write a message. Enter sends, Shift+Enter is a new line.")
                placeholderTextColor: Theme.quiet
                color: Theme.text
                selectionColor: Theme.accent
                selectedTextColor: Theme.inkOnAccent
                font.pixelSize: Theme.bodySize
                background: null
                KeyNavigation.priority: KeyNavigation.BeforeItem
                KeyNavigation.tab: modelMenu
                Accessible.role: Accessible.EditableText
                Accessible.name: qsTr("Write a message")
                Keys.onReturnPressed: event => {
                    event.accepted = !(event.modifiers & Qt.ShiftModifier);
                    if (event.accepted)
                        root.send();
                }
                Keys.onEnterPressed: root.send()
            }
        }
        SmallText {
            objectName: "status"
            visible: text !== ""
            width: parent.width
            text: root.composer.status
            wrapMode: Text.Wrap
        }
        ProgressLine {
            visible: root.composer.shareDone >= 0
            width: parent.width
            implicitHeight: 4
            value: root.composer.shareDone
            label: root.composer.status
        }
        RowLayout {
            width: parent.width
            spacing: Theme.spaceM

            ModelMenu {
                id: modelMenu
                composer: root.composer
                Layout.fillWidth: true
                Layout.maximumWidth: Math.min(240 * Theme.textScale, implicitWidth)
            }
            Item {
                Layout.fillWidth: true
            }
            ContextMeter {
                objectName: "contextMeter"
                words: root.composer.pagesLeft
                share: root.composer.shareUsed
                isShort: root.width < 480 * Theme.textScale
            }
            PrimaryButton {
                objectName: "send"
                visible: !root.composer.isAnswering
                enabled: root.composer.canSend && entry.text.trim() !== ""
                text: qsTr("Send")
                iconName: "arrow-up"
                tall: true
                onClicked: root.send()
            }
            QuietButton {
                objectName: "stop"
                visible: root.composer.isAnswering
                enabled: !root.composer.isStopping
                text: qsTr("Stop")
                iconName: "square"
                tall: true
                onClicked: root.composer.stop()
            }
        }
    }
}
