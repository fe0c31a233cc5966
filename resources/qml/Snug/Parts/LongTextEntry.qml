pragma ComponentBehavior: Bound
import QtQuick
import QtQuick.Controls.Basic
import Snug.Style

// Several lines of text to write, in a frame that scrolls. `edited` comes when the writer leaves it.
ScrollView {
    id: root

    required property string label
    property alias text: area.text
    property alias placeholderText: area.placeholderText
    property alias readOnly: area.readOnly
    signal edited(string text)

    implicitHeight: 112
    ScrollBar.vertical: QuietScrollBar {
        parent: root
        x: root.width - width
        height: root.height
    }
    ScrollBar.horizontal: QuietScrollBar {
        policy: ScrollBar.AlwaysOff
    }

    TextArea {
        id: area
        padding: Theme.spaceM
        color: Theme.text
        placeholderTextColor: Theme.quiet
        selectionColor: Theme.accent
        selectedTextColor: Theme.inkOnAccent
        font.pixelSize: Theme.bodySize
        textFormat: TextEdit.PlainText
        wrapMode: TextEdit.Wrap
        selectByMouse: true
        KeyNavigation.priority: KeyNavigation.BeforeItem
        KeyNavigation.tab: nextItemInFocusChain()
        Accessible.role: Accessible.EditableText
        Accessible.name: root.label
        onEditingFinished: root.edited(text)

        background: Rectangle {
            radius: Theme.controlRadius
            color: Theme.surface
            border.width: area.activeFocus ? 2 : 1
            border.color: area.activeFocus ? Theme.focus : Theme.line
        }
    }
}
