import QtQuick
import QtQuick.Controls.Basic
import QtQuick.Layouts
import Snug.Style

// The body of a screen: a column of at most 1060 that scrolls, with the margins of every screen.
Flickable {
    id: root

    default property alias content: column.data
    property alias spacing: column.spacing
    property int maximumWidth: 1060
    readonly property int margin: width >= 1100 ? 72 : width >= 900 ? Theme.spaceXxl : Theme.spaceXl

    contentWidth: width
    contentHeight: column.implicitHeight + column.y + Theme.spaceXxl
    boundsBehavior: Flickable.StopAtBounds
    clip: true
    activeFocusOnTab: false
    ScrollBar.vertical: QuietScrollBar {}

    // What the keyboard reaches is brought into sight.
    function bringIntoSight(item: Item): void {
        const place = item.mapToItem(column, 0, 0).y + column.y;
        if (place < contentY + Theme.spaceL)
            contentY = Math.max(0, place - Theme.spaceXxl);
        else if (place + item.height > contentY + height - Theme.spaceL)
            contentY = Math.min(contentHeight - height, place + item.height + Theme.spaceXxl - height);
    }

    Connections {
        target: root.Window.window

        function onActiveFocusItemChanged(): void {
            let item = root.Window.activeFocusItem;
            let ancestor = item;
            while (ancestor && ancestor !== column)
                ancestor = ancestor.parent;
            if (ancestor && root.contentHeight > root.height)
                root.bringIntoSight(item);
        }
    }
    ColumnLayout {
        id: column
        x: Math.max(root.margin, (root.width - width) / 2)
        y: 28
        width: Math.min(root.width - 2 * root.margin, root.maximumWidth)
        spacing: Theme.spaceL
    }
}
