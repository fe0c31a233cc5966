pragma ComponentBehavior: Bound
import QtQuick
import Snug.Style

// The curve of losses against file size, in shares of 0 to 1: `points` and `measured` are {x, y, type}, `rows` {y, text}
// and `columns` {x, text} the grid. From `tooBigFrom` on, files are too big for this computer.
Item {
    id: root

    property var points: []
    property var measured: []
    property var rows: []
    property var columns: []
    property real tooBigFrom: 1.1
    property string chosen: ""
    property string spoken: ""
    readonly property var chosenPoint: points.find(point => point.type === chosen)

    implicitHeight: 190
    implicitWidth: 400
    visible: points.length > 1
    Accessible.role: Accessible.Graphic
    Accessible.name: spoken

    Item {
        id: plot
        x: 44
        y: 8
        width: root.width - x - 16
        height: root.height - y - 28

        function across(share: real): real {
            return share * width;
        }
        function down(share: real): real {
            return (1 - share) * height;
        }

        Rectangle {
            visible: root.tooBigFrom <= 1
            x: plot.across(root.tooBigFrom)
            width: plot.width - x + 12
            height: plot.height
            color: Theme.badSoft

            Rectangle {
                width: 1
                height: parent.height
                color: Theme.bad
            }
            CaptionText {
                visible: parent.width > implicitWidth + 12
                x: 8
                y: 4
                text: qsTr("too big here")
                color: Theme.badText
            }
        }
        Repeater {
            model: root.rows

            Item {
                id: row
                required property var modelData
                y: plot.down(modelData.y)

                Rectangle {
                    width: plot.width
                    height: 1
                    color: Theme.line
                }
                CaptionText {
                    x: -width - 10
                    y: -height / 2
                    text: row.modelData.text
                }
            }
        }
        Repeater {
            model: root.columns

            CaptionText {
                required property var modelData
                x: plot.across(modelData.x) - width / 2
                y: plot.height + 10
                text: modelData.text
            }
        }
        Canvas {
            id: line
            anchors.fill: parent
            readonly property var points: root.points
            readonly property color stroke: Theme.accent
            onPointsChanged: requestPaint()
            onStrokeChanged: requestPaint()
            onWidthChanged: requestPaint()
            onHeightChanged: requestPaint()
            onPaint: {
                const pen = getContext("2d");
                pen.reset();
                pen.strokeStyle = stroke;
                pen.lineWidth = 2;
                pen.lineJoin = "round";
                pen.beginPath();
                points.forEach((point, index) => {
                    const x = plot.across(point.x), y = plot.down(point.y);
                    index === 0 ? pen.moveTo(x, y) : pen.lineTo(x, y);
                });
                pen.stroke();
            }
        }
        Repeater {
            model: line.points

            Rectangle {
                required property var modelData
                x: plot.across(modelData.x) - width / 2
                y: plot.down(modelData.y) - height / 2
                width: 8
                height: 8
                radius: 4
                color: Theme.accent
            }
        }
        Repeater {
            model: root.measured

            Rectangle {
                required property var modelData
                x: plot.across(modelData.x) - width / 2
                y: plot.down(modelData.y) - height / 2
                width: 9
                height: 9
                rotation: 45
                color: Theme.good
            }
        }
        Rectangle {
            visible: root.chosenPoint !== undefined
            x: root.chosenPoint ? plot.across(root.chosenPoint.x) - width / 2 : 0
            y: root.chosenPoint ? plot.down(root.chosenPoint.y) - height / 2 : 0
            width: 18
            height: 18
            radius: 9
            color: "transparent"
            border.width: 2
            border.color: Theme.accent
        }
    }
}
