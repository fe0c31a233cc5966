pragma ComponentBehavior: Bound
import QtQuick
import QtQuick.Controls.Basic
import Snug.Style

// One of several values, in a list that drops down.
ComboBox {
    id: root

    required property string label
    property real listWidth: width / Theme.textScale

    implicitHeight: Theme.hitHeight
    implicitWidth: Math.round(200 * Theme.textScale)
    topInset: 2
    bottomInset: 2
    leftPadding: Theme.spaceM
    rightPadding: 36
    font.pixelSize: Theme.bodySize
    hoverEnabled: true
    opacity: enabled ? 1 : 0.45
    Accessible.role: Accessible.ComboBox
    Accessible.name: label

    Keys.onReturnPressed: root.popup.open()
    Keys.onEnterPressed: root.popup.open()

    contentItem: Label {
        text: root.displayText
        textFormat: Text.PlainText
        color: Theme.text
        font: root.font
        verticalAlignment: Text.AlignVCenter
        elide: Text.ElideRight
        Accessible.ignored: true
    }
    indicator: TintedIcon {
        x: root.width - width - Theme.spaceM
        anchors.verticalCenter: parent ? parent.verticalCenter : undefined
        name: "chevron-down"
        size: 16
        color: Theme.quiet
    }
    background: Rectangle {
        radius: Theme.controlRadius
        color: root.hovered && root.enabled ? Theme.hover : Theme.control
        border.width: 1
        border.color: Theme.line

        FocusRing {
            shown: root.visualFocus
        }
    }
    delegate: ChoiceItem {
        required property int index
        required property var modelData

        width: ListView.view ? ListView.view.width : implicitWidth
        text: root.textRole === "" ? modelData : modelData[root.textRole]
        chosen: root.currentIndex === index
        highlighted: root.highlightedIndex === index
    }
    popup: Popup {
        y: root.height
        width: root.listWidth * Theme.textScale
        height: Math.min(implicitHeight, 320)
        padding: Theme.spaceXs

        contentItem: ListView {
            clip: true
            implicitHeight: contentHeight
            model: root.popup.visible ? root.delegateModel : null
            currentIndex: root.highlightedIndex
            ScrollBar.vertical: QuietScrollBar {}
        }
        background: Rectangle {
            radius: Theme.controlRadius
            color: Theme.surface
            border.width: 1
            border.color: Theme.line
        }
    }
}
