import QtQuick
import QtQuick.Controls.Basic
import Snug.Style

// A fact in a pill, not to be pressed: "Works offline".
Rectangle {
    id: root

    property string iconName: ""
    required property string text

    implicitWidth: line.implicitWidth + 26
    implicitHeight: Math.round(30 * Theme.roomScale)
    radius: height / 2
    color: Theme.surface
    border.width: 1
    border.color: Theme.line
    Accessible.role: Accessible.StaticText
    Accessible.name: text

    Row {
        id: line
        anchors.centerIn: parent
        spacing: 6

        TintedIcon {
            name: root.iconName
            visible: root.iconName !== ""
            size: 15
            anchors.verticalCenter: parent.verticalCenter
        }
        Label {
            text: root.text
            textFormat: Text.PlainText
            color: Theme.text
            font.pixelSize: Theme.smallSize
            anchors.verticalCenter: parent.verticalCenter
            Accessible.ignored: true
        }
    }
}
