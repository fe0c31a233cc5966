pragma ComponentBehavior: Bound
import QtQuick
import QtQuick.Controls.Basic
import Snug.Style

// One item of a list, at its depth.
Item {
    id: root

    required property string text
    required property string rich
    required property string marker
    required property list<string> links
    required property int depth
    required property int quote
    required property bool isWriting
    signal linkAsked(string address)

    readonly property int inset: (depth - 1) * 22 + quote * 15
    readonly property real markerWidth: Math.max(19, mark.implicitWidth + 6)

    implicitHeight: Math.max(body.implicitHeight, Theme.bodySize * 1.45) + 2

    Loader {
        active: root.quote > 0
        height: parent.height
        sourceComponent: QuoteBars {
            quote: root.quote
        }
    }
    Label {
        id: mark
        x: root.inset
        anchors.baseline: body.baseline
        text: root.marker
        textFormat: Text.PlainText
        color: Theme.text
        font.pixelSize: Theme.bodySize
        Accessible.ignored: true
    }
    ReadingText {
        id: body
        x: root.inset + root.markerWidth
        y: 2
        width: root.width - x
        rich: root.rich
        plain: root.marker + " " + root.text
        links: root.links
        onLinkAsked: address => root.linkAsked(address)
    }
    Loader {
        active: root.isWriting
        sourceComponent: PenMark {
            text: body
        }
    }
}
