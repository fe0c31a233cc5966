import QtQuick
import QtQuick.Controls.Basic
import QtQuick.Layouts
import Snug.Style

// A row of a list to press: an icon, a name, a quiet line under it, and room at the right (put children there).
AbstractButton {
    id: root

    property string iconName: ""
    property color iconColor: Theme.accent
    property string subtitle: ""
    property bool current: false
    default property alias trailing: side.data

    implicitHeight: Math.round(73 * Theme.roomScale)
    implicitWidth: 320
    leftPadding: Theme.spaceL
    rightPadding: Theme.spaceL
    focusPolicy: Qt.StrongFocus
    hoverEnabled: true
    Accessible.role: Accessible.ListItem
    Accessible.name: text
    Accessible.description: subtitle
    Accessible.selected: current

    Keys.onReturnPressed: root.click()
    Keys.onEnterPressed: root.click()

    contentItem: RowLayout {
        spacing: Theme.spaceM

        TintedIcon {
            visible: root.iconName !== ""
            name: root.iconName
            size: 22
            color: root.iconColor
        }
        ColumnLayout {
            spacing: 2
            Layout.fillWidth: true

            StrongText {
                text: root.text
                Layout.fillWidth: true
                Accessible.ignored: true
            }
            SmallText {
                visible: root.subtitle !== ""
                text: root.subtitle
                Layout.fillWidth: true
                Accessible.ignored: true
            }
        }
        ColumnLayout {
            id: side
            spacing: Theme.spaceXs
        }
    }
    background: Rectangle {
        radius: Theme.controlRadius
        color: root.current ? Theme.accentSoft : root.hovered ? Theme.hover : "transparent"

        FocusRing {
            shown: root.visualFocus
            gap: 0
        }
    }
}
