pragma ComponentBehavior: Bound
import QtQuick
import QtQuick.Controls.Basic
import Snug.Style

// A button that shows only an icon; `label` is its name for screen readers and its tooltip.
AbstractButton {
    id: root

    required property string iconName
    required property string label
    property bool outlined: false
    property color color: outlined ? Theme.text : Theme.quiet
    property int iconSize: 18

    implicitWidth: Theme.hitHeight
    implicitHeight: Theme.hitHeight
    topInset: 2
    bottomInset: 2
    leftInset: 2
    rightInset: 2
    focusPolicy: Qt.StrongFocus
    hoverEnabled: true
    opacity: enabled ? 1 : 0.45
    Accessible.role: Accessible.Button
    Accessible.name: label

    Keys.onReturnPressed: root.click()
    Keys.onEnterPressed: root.click()

    contentItem: Item {
        TintedIcon {
            anchors.centerIn: parent
            name: root.iconName
            size: root.iconSize
            color: root.hovered && root.enabled ? Theme.text : root.color
        }
    }
    background: Rectangle {
        radius: Theme.controlRadius
        color: root.hovered && root.enabled ? Theme.hover : root.outlined ? Theme.control : "transparent"
        border.width: root.outlined ? 1 : 0
        border.color: Theme.line

        FocusRing {
            shown: root.visualFocus
        }
    }

    // Not the attached ToolTip: that one would read a foreign name in the label as mark-up.
    Loader {
        active: root.hovered && root.label !== ""
        sourceComponent: ToolTip {
            visible: true
            delay: 700
            padding: Theme.spaceS
            parent: root
            contentItem: Label {
                text: root.label
                textFormat: Text.PlainText
                color: Theme.text
                font.pixelSize: Theme.captionSize
                Accessible.ignored: true
            }
            background: Rectangle {
                radius: 6
                color: Theme.raised
                border.width: 1
                border.color: Theme.line
            }
        }
    }
}
