import QtQuick
import QtQuick.Controls.Basic
import Snug.Style

// A menu of actions; fill it with ActionItem.
Menu {
    id: root

    implicitWidth: Math.round(232 * Theme.roomScale)
    padding: Theme.spaceXs
    overlap: 0

    background: Rectangle {
        implicitWidth: root.implicitWidth
        radius: Theme.controlRadius
        color: Theme.surface
        border.width: 1
        border.color: Theme.line
    }
}
