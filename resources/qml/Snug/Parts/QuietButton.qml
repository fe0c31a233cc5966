import QtQuick
import QtQuick.Controls.Basic
import Snug.Style

// A quieter button beside the primary one, outlined. 36 high to see, 40 to hit; `tall` shows all 40.
// `filled` makes it the primary one, for where a row of buttons has its next step now here, now there.
AbstractButton {
    id: root

    property string iconName: ""
    property bool tall: false
    property bool danger: false
    property bool filled: false
    readonly property bool isMarked: down || (hovered && enabled)
    readonly property color ink: filled ? Theme.inkOnAccent : danger ? Theme.badText : Theme.text
    readonly property color ground: filled ? Theme.accent : Theme.control
    readonly property color markedGround: filled ? Theme.accentHover : Theme.hover

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
                color: root.ink
                anchors.verticalCenter: parent.verticalCenter
            }
            Label {
                text: root.text
                textFormat: Text.PlainText
                color: root.ink
                font.pixelSize: Math.round(14 * Theme.textScale)
                font.weight: Font.DemiBold
                anchors.verticalCenter: parent.verticalCenter
                Accessible.ignored: true
            }
        }
    }
    background: Rectangle {
        radius: Theme.controlRadius
        color: root.isMarked ? root.markedGround : root.ground
        border.width: root.filled ? 0 : 1
        border.color: Theme.line

        FocusRing {
            shown: root.visualFocus
        }
    }
}
