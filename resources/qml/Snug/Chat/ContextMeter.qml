import QtQuick
import QtQuick.Controls.Basic
import Snug.Style
import Snug.Parts

// How much of the model's memory the conversation takes: a thin ring, and the pages that are left.
Row {
    id: root

    required property string words
    required property real share
    property bool isShort: false

    visible: words !== ""
    spacing: Theme.spaceS
    Accessible.role: Accessible.StaticText
    Accessible.name: words

    ProgressRing {
        anchors.verticalCenter: parent.verticalCenter
        size: 18
        stroke: 3
        value: Math.max(0.04, root.share)
        color: root.share > 0.9 ? Theme.tight : Theme.accent
    }
    Label {
        visible: !root.isShort
        anchors.verticalCenter: parent.verticalCenter
        text: root.words
        textFormat: Text.PlainText
        color: Theme.quiet
        font.pixelSize: Theme.smallSize
        Accessible.ignored: true
    }
}
