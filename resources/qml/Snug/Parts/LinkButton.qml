import QtQuick
import QtQuick.Controls.Basic
import Snug.Style

// A word to press, in the accent's colour, with an optional icon before or after it.
AbstractButton {
    id: root

    property string iconName: ""
    property string trailingIcon: ""

    implicitHeight: Theme.hitHeight
    implicitWidth: Math.max(Theme.hitHeight, implicitContentWidth + leftPadding + rightPadding)
    leftPadding: Theme.spaceS
    rightPadding: Theme.spaceS
    topInset: 2
    bottomInset: 2
    focusPolicy: Qt.StrongFocus
    hoverEnabled: true
    opacity: enabled ? 1 : 0.45
    Accessible.role: Accessible.Button
    Accessible.name: text

    Keys.onReturnPressed: root.click()
    Keys.onEnterPressed: root.click()

    contentItem: Item {
        implicitWidth: line.implicitWidth
        implicitHeight: line.implicitHeight

        Row {
            id: line
            anchors.centerIn: parent
            spacing: Theme.spaceS

            TintedIcon {
                name: root.iconName
                visible: root.iconName !== ""
                size: 16
                color: Theme.accent
                anchors.verticalCenter: parent.verticalCenter
            }
            Label {
                text: root.text
                textFormat: Text.PlainText
                color: Theme.accent
                font.pixelSize: Math.round(14 * Theme.textScale)
                font.weight: Font.DemiBold
                anchors.verticalCenter: parent.verticalCenter
                Accessible.ignored: true
            }
            TintedIcon {
                name: root.trailingIcon
                visible: root.trailingIcon !== ""
                size: 16
                color: Theme.accent
                anchors.verticalCenter: parent.verticalCenter
            }
        }
    }
    background: Rectangle {
        radius: Theme.controlRadius
        color: root.hovered && root.enabled ? Theme.accentSoft : "transparent"

        FocusRing {
            shown: root.visualFocus
        }
    }
}
