pragma ComponentBehavior: Bound
import QtQuick
import QtQuick.Controls.Basic
import Snug.Style
import Snug.Parts

// A block of code: its language, Copy, and lines that scroll sideways instead of wrapping.
Item {
    id: root

    required property string text
    required property string rich
    required property string marker
    required property int depth
    required property int quote
    signal copyAsked(string text)

    readonly property bool hasHead: marker !== ""
    readonly property int gap: hasHead ? Theme.spaceM : Theme.spaceXs

    implicitHeight: frame.height + gap

    Loader {
        active: root.quote > 0
        height: parent.height
        sourceComponent: QuoteBars {
            quote: root.quote
        }
    }
    Rectangle {
        id: frame
        x: root.depth * 22 + root.quote * 15
        y: root.gap
        width: root.width - x
        height: (root.hasHead ? 40 : 0) + area.height
        radius: Theme.cardRadius - 2
        color: Theme.surface
        border.width: 1
        border.color: Theme.line

        Item {
            visible: root.hasHead
            width: parent.width
            height: 40

            SmallText {
                x: 14
                anchors.verticalCenter: parent.verticalCenter
                width: parent.width - copy.width - 28
                text: root.marker
            }
            LinkButton {
                id: copy
                objectName: "copyCode"
                anchors.right: parent.right
                anchors.rightMargin: Theme.spaceS
                anchors.verticalCenter: parent.verticalCenter
                text: qsTr("Copy")
                iconName: "copy"
                Accessible.name: qsTr("Copy this code")
                onClicked: root.copyAsked(root.text)
            }
            Rectangle {
                anchors.bottom: parent.bottom
                width: parent.width
                height: 1
                color: Theme.line
            }
        }
        Flickable {
            id: area
            y: root.hasHead ? 40 : 0
            width: parent.width
            height: code.implicitHeight + 26
            contentWidth: Math.max(width, code.implicitWidth + 28)
            contentHeight: height
            clip: contentWidth > width
            interactive: contentWidth > width
            flickableDirection: Flickable.HorizontalFlick
            boundsBehavior: Flickable.StopAtBounds
            ScrollBar.horizontal: QuietScrollBar {
                implicitHeight: 10
            }

            ReadingText {
                id: code
                x: 14
                y: 13
                rich: root.rich
                plain: root.text
                wrapMode: TextEdit.NoWrap
                font.family: Theme.codeFamily
                font.pixelSize: Theme.smallSize
            }
        }
    }
}
