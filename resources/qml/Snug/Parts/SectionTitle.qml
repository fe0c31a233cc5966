import QtQuick
import QtQuick.Layouts
import Snug.Style

// A heading with room for chips or a link: at its right, or below it where the text is large and the window narrow.
GridLayout {
    id: root

    property string text
    default property alias content: trailing.data
    readonly property bool isNarrow: width < 570 * Theme.textScale

    columns: isNarrow ? 1 : 2
    columnSpacing: Theme.spaceM
    rowSpacing: 0

    HeadingText {
        text: root.text
        Layout.fillWidth: true
        Layout.alignment: Qt.AlignVCenter
    }
    Flow {
        id: trailing
        spacing: Theme.spaceS
        Layout.fillWidth: root.isNarrow
        Layout.alignment: Qt.AlignVCenter
    }
}
