pragma ComponentBehavior: Bound
import QtQuick
import QtQuick.Controls.Basic
import Snug.Style

// A thin scroll bar that shows only where there is more.
ScrollBar {
    id: root

    implicitWidth: 12
    padding: 3
    policy: ScrollBar.AsNeeded
    Accessible.ignored: true
    Accessible.name: qsTr("Scroll")

    contentItem: Rectangle {
        implicitWidth: 6
        implicitHeight: 40
        radius: 3
        color: root.pressed ? Theme.quiet : Theme.barOther
        visible: root.size < 1.0
    }
    background: null
}
