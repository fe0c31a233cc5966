import QtQuick
import QtQuick.Controls.Basic
import QtQuick.Layouts
import Snug.Style

// A pill to press: a choice among several (checkable), a filter (`showCheck`) or an opener of a menu (`opensMenu`).
AbstractButton {
    id: root

    property string iconName: ""
    property bool showCheck: false
    property bool opensMenu: false
    readonly property color ink: checked ? Theme.accent : Theme.text

    implicitHeight: Theme.hitHeight
    implicitWidth: implicitContentWidth + leftPadding + rightPadding
    leftPadding: 13
    rightPadding: 13
    topInset: 5
    bottomInset: 5
    focusPolicy: Qt.StrongFocus
    hoverEnabled: true
    opacity: enabled ? 1 : 0.45
    Accessible.role: checkable ? Accessible.RadioButton : Accessible.Button
    Accessible.name: text
    Accessible.checkable: checkable
    Accessible.checked: checked

    Keys.onReturnPressed: root.click()
    Keys.onEnterPressed: root.click()

    contentItem: Item {
        implicitWidth: line.implicitWidth
        implicitHeight: line.implicitHeight

        RowLayout {
            id: line
            anchors.centerIn: parent
            width: Math.min(implicitWidth, parent.width)
            spacing: 6

            TintedIcon {
                name: root.showCheck && root.checked ? "check" : root.iconName
                visible: name !== ""
                size: 16
                color: root.ink
            }
            Label {
                text: root.text
                textFormat: Text.PlainText
                color: root.ink
                font.pixelSize: Theme.smallSize
                font.weight: root.checked ? Font.DemiBold : Font.Normal
                elide: Text.ElideRight
                Layout.fillWidth: true
                Accessible.ignored: true
            }
            TintedIcon {
                name: "chevron-down"
                visible: root.opensMenu
                size: 14
                color: root.ink
            }
        }
    }
    background: Rectangle {
        radius: height / 2
        color: root.checked ? Theme.accentSoft : root.hovered && root.enabled ? Theme.hover : Theme.surface
        border.width: root.checked ? 0 : 1
        border.color: Theme.line

        FocusRing {
            shown: root.visualFocus
            radius: height / 2
        }
    }
}
