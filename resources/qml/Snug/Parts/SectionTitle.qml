import QtQuick
import QtQuick.Layouts
import Snug.Style

// A heading with room at its right for chips or a link.
RowLayout {
    id: root

    property string text
    default property alias content: trailing.data

    spacing: Theme.spaceM

    HeadingText {
        text: root.text
        Layout.fillWidth: true
        Layout.alignment: Qt.AlignVCenter
    }
    RowLayout {
        id: trailing
        spacing: Theme.spaceS
        Layout.alignment: Qt.AlignVCenter
    }
}
