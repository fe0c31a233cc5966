import QtQuick
import QtQuick.Controls.Basic
import Snug.Style

// A surface that holds one thing; put one layout inside. `accented` marks the one that is proposed.
Pane {
    id: root

    property bool accented: false

    padding: 20
    background: Rectangle {
        radius: Theme.cardRadius
        color: Theme.surface
        border.width: root.accented ? 2 : 1
        border.color: root.accented ? Theme.accent : Theme.cardLine
    }
}
