import QtQuick
import Snug.Style
import Snug.Parts

// A quiet remark between messages.
Item {
    id: root

    required property string text

    implicitHeight: words.implicitHeight + 2 * Theme.spaceM

    SmallText {
        id: words
        y: Theme.spaceM
        width: parent.width
        text: root.text
        wrapMode: Text.Wrap
        horizontalAlignment: Text.AlignHCenter
    }
}
