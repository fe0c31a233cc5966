import QtQuick
import Snug.Style

// The ring around a control that the keyboard has reached.
Rectangle {
    id: root

    property bool shown: false
    property real gap: 2

    anchors.fill: parent
    anchors.margins: -gap
    radius: Theme.controlRadius + gap
    color: "transparent"
    border.width: 2
    border.color: Theme.focus
    visible: shown
}
