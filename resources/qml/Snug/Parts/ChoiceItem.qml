import QtQuick
import QtQuick.Controls.Basic
import Snug.Style

// One line of a list that drops down; the chosen one carries a tick.
ItemDelegate {
    id: root

    property bool chosen: false

    implicitHeight: Theme.hitHeight
    leftPadding: Theme.spaceM
    rightPadding: 36
    font.pixelSize: Theme.bodySize
    font.weight: chosen ? Font.DemiBold : Font.Normal
    Accessible.role: Accessible.ListItem
    Accessible.name: text

    contentItem: Label {
        text: root.text
        textFormat: Text.PlainText
        color: root.chosen ? Theme.accent : Theme.text
        font: root.font
        verticalAlignment: Text.AlignVCenter
        elide: Text.ElideRight
        Accessible.ignored: true
    }
    background: Rectangle {
        radius: Theme.controlRadius - 2
        color: root.highlighted || root.hovered ? Theme.hover : "transparent"

        TintedIcon {
            anchors.right: parent.right
            anchors.rightMargin: Theme.spaceM
            anchors.verticalCenter: parent.verticalCenter
            visible: root.chosen
            name: "check"
            size: 16
            color: Theme.accent
        }
    }
}
