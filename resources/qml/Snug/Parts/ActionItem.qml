import QtQuick
import QtQuick.Controls.Basic
import QtQuick.Layouts
import Snug.Style

// One action of a menu: an icon and words. `danger` for what deletes.
MenuItem {
    id: root

    property string iconName: ""
    property bool danger: false
    readonly property color ink: danger ? Theme.badText : Theme.text

    implicitHeight: visible ? Theme.hitHeight : 0
    leftPadding: Theme.spaceM
    rightPadding: Theme.spaceM
    opacity: enabled ? 1 : 0.45
    Accessible.role: Accessible.MenuItem
    Accessible.name: text

    contentItem: RowLayout {
        spacing: Theme.spaceM

        TintedIcon {
            name: root.iconName
            visible: root.iconName !== ""
            size: 18
            color: root.ink
        }
        Label {
            text: root.text
            textFormat: Text.PlainText
            color: root.ink
            font.pixelSize: Math.round(14 * Theme.textScale)
            elide: Text.ElideRight
            horizontalAlignment: Text.AlignLeft
            Layout.fillWidth: true
            Accessible.ignored: true
        }
        TintedIcon {
            name: "check"
            visible: root.checkable && root.checked
            size: 16
            color: Theme.accent
        }
    }
    indicator: null
    arrow: null
    background: Rectangle {
        radius: Theme.controlRadius - 2
        color: root.highlighted ? Theme.hover : "transparent"
    }
}
