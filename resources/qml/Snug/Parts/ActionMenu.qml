import QtQuick
import QtQuick.Controls.Basic
import Snug.Style

// A menu of actions; fill it with ActionItem.
Menu {
    id: root

    implicitWidth: 232
    padding: Theme.spaceXs
    overlap: 0

    background: Rectangle {
        implicitWidth: 232
        radius: Theme.controlRadius
        color: Theme.surface
        border.width: 1
        border.color: Theme.line
    }
}
