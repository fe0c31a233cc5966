pragma ComponentBehavior: Bound
import QtQuick
import QtQuick.Controls.Basic
import Snug.Style

// One place of the rail: an icon above a word, or a ring of progress around the icon while `progress` is 0 to 1.
AbstractButton {
    id: root

    required property string iconName
    property bool current: false
    property real progress: -1
    property string shortcutText: ""
    readonly property color ink: current ? Theme.accent : Theme.quiet

    implicitWidth: 72
    implicitHeight: 60
    leftInset: 4
    rightInset: 4
    topInset: 2
    bottomInset: 2
    focusPolicy: Qt.StrongFocus
    hoverEnabled: true
    Accessible.role: Accessible.PageTab
    Accessible.name: text
    Accessible.selected: current
    Accessible.description: shortcutText

    Keys.onReturnPressed: root.click()
    Keys.onEnterPressed: root.click()

    contentItem: Item {
        TintedIcon {
            visible: root.progress < 0
            name: root.iconName
            size: 22
            color: root.ink
            anchors.horizontalCenter: parent.horizontalCenter
            y: 9
        }
        Loader {
            active: root.progress >= 0
            anchors.horizontalCenter: parent.horizontalCenter
            y: 9
            sourceComponent: ProgressRing {
                size: 22
                value: root.progress

                TintedIcon {
                    anchors.centerIn: parent
                    name: "arrow-down"
                    size: 12
                    color: root.ink
                }
            }
        }
        Label {
            text: root.text
            textFormat: Text.PlainText
            color: root.ink
            font.pixelSize: Math.round(11.5 * Math.min(Theme.textScale, 1.15))
            font.weight: root.current ? Font.DemiBold : Font.Normal
            horizontalAlignment: Text.AlignHCenter
            width: parent.width
            y: 34
            Accessible.ignored: true
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
