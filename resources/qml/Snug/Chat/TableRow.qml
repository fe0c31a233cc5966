pragma ComponentBehavior: Bound
import QtQuick
import QtQuick.Controls.Basic
import QtQuick.Layouts
import Snug.Style
import Snug.Parts

// A table; one that is wider than the text scrolls sideways.
Item {
    id: root

    required property string text
    required property var cells
    required property var plainCells
    required property var alignments
    required property bool hasHeader
    required property int depth
    required property int quote

    implicitHeight: frame.height + Theme.spaceM

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
        y: Theme.spaceM
        width: Math.min(root.width - x, grid.implicitWidth + 2)
        height: grid.implicitHeight + 2
        radius: Theme.cardRadius - 2
        color: Theme.surface
        border.width: 1
        border.color: Theme.line
        Accessible.role: Accessible.Table
        Accessible.name: qsTr("Table")
        Accessible.description: root.text

        Flickable {
            anchors.fill: parent
            anchors.margins: 1
            contentWidth: grid.implicitWidth
            contentHeight: grid.implicitHeight
            clip: contentWidth > width
            interactive: contentWidth > width
            boundsBehavior: Flickable.StopAtBounds
            ScrollBar.horizontal: QuietScrollBar {
                implicitHeight: 10
            }

            ColumnLayout {
                id: grid
                spacing: 0

                GridLayout {
                    columns: Math.max(1, root.alignments.length)
                    columnSpacing: 0
                    rowSpacing: 0

                    Repeater {
                        model: root.cells.length * root.alignments.length

                        Item {
                            id: cell

                            required property int index
                            readonly property int row: Math.floor(index / root.alignments.length)
                            readonly property int column: index % root.alignments.length
                            readonly property bool isHead: root.hasHeader && row === 0

                            implicitWidth: Math.min(words.implicitWidth, 300) + 28
                            implicitHeight: words.contentHeight + 16
                            Layout.fillWidth: true
                            Layout.fillHeight: true

                            ReadingText {
                                id: words
                                x: 14
                                y: 8
                                width: cell.width - 28
                                rich: root.cells[cell.row]?.[cell.column] ?? ""
                                plain: root.plainCells[cell.row]?.[cell.column] ?? ""
                                font.pixelSize: Theme.smallSize + 1
                                font.weight: cell.isHead ? Font.DemiBold : Font.Normal
                                horizontalAlignment: root.alignments[cell.column] === "right" ? TextEdit.AlignRight : root.alignments[cell.column] === "center" ? TextEdit.AlignHCenter : TextEdit.AlignLeft
                            }
                            Rectangle {
                                visible: cell.row > 0
                                width: parent.width
                                height: 1
                                color: Theme.line
                            }
                        }
                    }
                }
            }
        }
    }
}
