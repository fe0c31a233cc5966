import QtQuick
import Snug.Style

// A hairline between two parts.
Rectangle {
    implicitWidth: 1
    implicitHeight: 1
    color: Theme.line
}
