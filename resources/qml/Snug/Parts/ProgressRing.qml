import QtQuick
import QtQuick.Shapes
import Snug.Style

// A ring of progress, 0 to 1, with room in the middle for an icon.
Item {
    id: root

    property real value: 0
    property int size: 22
    property real stroke: 3
    property color color: Theme.accent
    property string label: ""

    implicitWidth: size
    implicitHeight: size
    width: size
    height: size
    Accessible.role: Accessible.ProgressBar
    Accessible.name: label
    Accessible.ignored: label === ""

    Shape {
        anchors.fill: parent

        ShapePath {
            strokeColor: Theme.line
            strokeWidth: root.stroke
            fillColor: "transparent"
            capStyle: ShapePath.FlatCap

            PathAngleArc {
                centerX: root.size / 2
                centerY: root.size / 2
                radiusX: (root.size - root.stroke) / 2
                radiusY: radiusX
                startAngle: 0
                sweepAngle: 360
            }
        }
        ShapePath {
            strokeColor: root.value > 0 ? root.color : "transparent"
            strokeWidth: root.stroke
            fillColor: "transparent"
            capStyle: ShapePath.FlatCap

            PathAngleArc {
                centerX: root.size / 2
                centerY: root.size / 2
                radiusX: (root.size - root.stroke) / 2
                radiusY: radiusX
                startAngle: -90
                sweepAngle: 360 * Math.max(0, Math.min(1, root.value))
            }
        }
    }
}
