pragma ComponentBehavior: Bound
import QtQuick
import QtQuick.Controls.Basic
import Snug.Style

// A number between bounds, written or stepped with the arrows. `decimals` digits after the point; `edited` on a change by hand.
SpinBox {
    id: root

    required property string label
    property real number: 0
    property real lowest: 0
    property real highest: 100
    property real step: 1
    property int decimals: 0
    readonly property real factor: Math.pow(10, decimals)
    signal edited(real number)

    implicitWidth: Math.round(148 * Theme.roomScale)
    implicitHeight: Theme.hitHeight
    topInset: 2
    bottomInset: 2
    editable: true
    from: Math.round(lowest * factor)
    to: Math.round(Math.min(highest * factor, 2147483647))
    stepSize: Math.max(1, Math.round(step * factor))
    value: Math.round(number * factor)
    font.pixelSize: Theme.bodySize
    locale: Qt.locale("en_GB")
    Accessible.role: Accessible.SpinBox
    Accessible.name: label
    textFromValue: (value, locale) => Number(value / root.factor).toFixed(root.decimals)
    valueFromText: (text, locale) => Math.round(Number(text) * root.factor)
    onValueModified: root.edited(value / factor)

    validator: DoubleValidator {
        locale: "C"
        bottom: root.lowest
        top: root.highest
        decimals: root.decimals
        notation: DoubleValidator.StandardNotation
    }
    contentItem: TextInput {
        text: root.displayText
        color: Theme.text
        font: root.font
        selectionColor: Theme.accent
        selectedTextColor: Theme.inkOnAccent
        horizontalAlignment: Qt.AlignHCenter
        verticalAlignment: Qt.AlignVCenter
        readOnly: !root.editable
        validator: root.validator
        inputMethodHints: Qt.ImhFormattedNumbersOnly
        selectByMouse: true
        Accessible.name: root.label
    }
    up.indicator: Item {
        x: root.width - width
        implicitWidth: Theme.hitHeight
        height: root.height
        Accessible.ignored: true

        TintedIcon {
            anchors.centerIn: parent
            name: "plus"
            size: 16
            color: root.up.hovered ? Theme.text : Theme.quiet
            opacity: root.value < root.to ? 1 : 0.4
        }
    }
    down.indicator: Item {
        implicitWidth: Theme.hitHeight
        height: root.height
        Accessible.ignored: true

        Rectangle {
            anchors.centerIn: parent
            width: 12
            height: 1.75
            radius: 1
            color: root.down.hovered ? Theme.text : Theme.quiet
            opacity: root.value > root.from ? 1 : 0.4
        }
    }
    background: Rectangle {
        radius: Theme.controlRadius
        color: Theme.surface
        border.width: root.activeFocus ? 2 : 1
        border.color: root.activeFocus ? Theme.focus : Theme.line
    }
}
