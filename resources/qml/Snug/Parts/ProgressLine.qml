import QtQuick
import Snug.Style

// A line of progress, 0 to 1. `kind` is "good" while it goes on, "tight" when it waits, "bad" when it failed.
Rectangle {
    id: root

    property real value: 0
    property string kind: "good"
    property string label: ""

    implicitHeight: 6
    implicitWidth: 200
    radius: height / 2
    color: Theme.line
    Accessible.role: Accessible.ProgressBar
    Accessible.name: label

    Rectangle {
        width: Math.max(0, Math.min(1, root.value)) * parent.width
        height: parent.height
        radius: height / 2
        color: root.kind === "tight" ? Theme.tight : root.kind === "bad" ? Theme.bad : Theme.accent

        Behavior on width {
            NumberAnimation {
                duration: Theme.motion
            }
        }
    }
}
