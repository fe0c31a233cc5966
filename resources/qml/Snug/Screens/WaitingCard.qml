pragma ComponentBehavior: Bound
import QtQuick
import Snug.Style
import Snug.Parts

// The calm outline of a card whose content is on its way.
Card {
    padding: 21
    Accessible.ignored: true

    contentItem: Column {
        id: bars
        spacing: 14

        Repeater {
            model: [0.55, 0.8, 0.35, 0.7, 0.6]

            Rectangle {
                required property real modelData
                // The column is gone before its bars are when the card is put away.
                width: (bars?.width ?? 0) * modelData
                height: 14
                radius: 7
                color: Theme.barFree
            }
        }
    }
}
