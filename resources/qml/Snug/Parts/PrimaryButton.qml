import QtQuick
import QtQuick.Controls.Basic
import Snug.Style

// The one obvious next thing to press: filled with the accent. 36 high to see, 40 to hit; `tall` shows all 40.
AbstractButton {
    id: root

    property string iconName: ""
    property bool tall: false

    implicitHeight: Theme.hitHeight
    implicitWidth: Math.max(Theme.hitHeight, implicitContentWidth + leftPadding + rightPadding)
    leftPadding: Theme.spaceL
    rightPadding: Theme.spaceL
    topInset: tall ? 0 : 2
    bottomInset: tall ? 0 : 2
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
                size: 18
                color: Theme.inkOnAccent
                anchors.verticalCenter: parent.verticalCenter
            }
            Label {
                text: root.text
                textFormat: Text.PlainText
                color: Theme.inkOnAccent
                font.pixelSize: Math.round(14 * Theme.textScale)
                font.weight: Font.DemiBold
                anchors.verticalCenter: parent.verticalCenter
                Accessible.ignored: true
            }
        }
    }
    background: Rectangle {
        radius: Theme.controlRadius
        color: root.down || (root.hovered && root.enabled) ? Theme.accentHover : Theme.accent

        FocusRing {
            shown: root.visualFocus
        }
    }
}
