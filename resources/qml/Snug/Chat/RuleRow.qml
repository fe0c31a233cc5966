import QtQuick
import Snug.Style

// A line between two parts of an answer.
Item {
    implicitHeight: 29

    Rectangle {
        y: 18
        width: parent.width
        height: 1
        color: Theme.line
    }
}
