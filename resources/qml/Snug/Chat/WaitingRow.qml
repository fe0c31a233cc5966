import QtQuick
import Snug.Style

// The place where the next words of an answer will appear.
Item {
    implicitHeight: 34
    Accessible.role: Accessible.StaticText
    Accessible.name: qsTr("The answer is about to come")

    Rectangle {
        y: 12
        width: 8
        height: Math.round(Theme.bodySize * 1.15)
        radius: 2
        color: Theme.accent
    }
}
