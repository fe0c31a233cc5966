import QtQuick
import QtQuick.Controls.Basic
import Snug.Style

// A state as an icon and a word on a tint. `kind` is "good", "tight", "bad" or "quiet".
Rectangle {
    id: root

    required property string kind
    required property string text
    property string iconName: kind === "good" ? "circle-check" : kind === "tight" ? "triangle-alert" : kind === "bad" ? "circle-x" : "info"
    readonly property color ink: kind === "good" ? Theme.goodText : kind === "tight" ? Theme.tightText : kind === "bad" ? Theme.badText : Theme.quiet

    implicitWidth: line.implicitWidth + 18
    implicitHeight: Math.round(26 * Theme.roomScale)
    radius: height / 2
    color: kind === "good" ? Theme.goodSoft : kind === "tight" ? Theme.tightSoft : kind === "bad" ? Theme.badSoft : Theme.raised
    Accessible.role: Accessible.StaticText
    Accessible.name: text

    Row {
        id: line
        anchors.centerIn: parent
        spacing: 6

        TintedIcon {
            name: root.iconName
            size: 15
            color: root.ink
            anchors.verticalCenter: parent.verticalCenter
        }
        Label {
            text: root.text
            textFormat: Text.PlainText
            color: root.ink
            font.pixelSize: Theme.smallSize
            font.weight: Font.DemiBold
            anchors.verticalCenter: parent.verticalCenter
            Accessible.ignored: true
        }
    }
}
