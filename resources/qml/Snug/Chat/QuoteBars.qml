pragma ComponentBehavior: Bound
import QtQuick
import Snug.Style

// The lines at the left of a quotation, one for each level.
Row {
    id: root

    required property int quote

    spacing: Theme.spaceM

    Repeater {
        model: root.quote

        Rectangle {
            width: 3
            height: root.height
            radius: 1.5
            color: Theme.line
        }
    }
}
