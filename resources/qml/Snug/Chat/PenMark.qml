import QtQuick
import Snug.Style

// The mark of the pen after the last word of an answer that is being written. It does not blink.
Rectangle {
    id: root

    required property TextEdit text
    readonly property rect end: text.positionToRectangle(text.length)

    x: text.x + end.x + 3
    y: text.y + end.y + Math.max(0, (end.height - height) / 2)
    width: 8
    height: Math.round(Theme.bodySize * 1.15)
    radius: 2
    color: Theme.accent
    Accessible.ignored: true
}
