import QtQuick
import QtQuick.Controls.Basic
import Snug.Style

// A slider; `spokenValue` says the value in words to a screen reader.
Slider {
    id: root

    required property string label
    property string spokenValue: ""

    implicitHeight: Theme.hitHeight
    implicitWidth: 200
    leftPadding: 6
    rightPadding: 6
    snapMode: stepSize > 0 ? Slider.SnapAlways : Slider.NoSnap
    Accessible.role: Accessible.Slider
    Accessible.name: label
    Accessible.description: spokenValue

    background: Rectangle {
        x: root.leftPadding
        y: root.topPadding + root.availableHeight / 2 - height / 2
        width: root.availableWidth
        height: 6
        radius: 3
        color: Theme.line

        Rectangle {
            width: root.visualPosition * parent.width
            height: parent.height
            radius: 3
            color: Theme.accent
        }
    }
    handle: Rectangle {
        x: root.leftPadding + root.visualPosition * (root.availableWidth - width)
        y: root.topPadding + root.availableHeight / 2 - height / 2
        implicitWidth: 22
        implicitHeight: 22
        radius: 11
        color: root.hovered || root.pressed ? Theme.accentSoft : Theme.surface
        border.width: 2
        border.color: Theme.accent

        FocusRing {
            shown: root.visualFocus
            radius: height / 2
        }
    }
}
