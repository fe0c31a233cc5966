pragma ComponentBehavior: Bound
import QtQuick
import Snug.Style

// One paragraph of an answer.
Item {
    id: root

    required property string text
    required property string rich
    required property list<string> links
    required property int depth
    required property int quote
    required property bool isWriting
    signal linkAsked(string address)

    readonly property int inset: depth * 22 + quote * 15

    implicitHeight: body.implicitHeight + 10

    Loader {
        active: root.quote > 0
        y: 10
        height: parent.height - y
        sourceComponent: QuoteBars {
            quote: root.quote
        }
    }
    ReadingText {
        id: body
        x: root.inset
        y: 10
        width: root.width - root.inset
        rich: root.rich
        plain: root.text
        links: root.links
        color: root.quote > 0 ? Theme.quiet : Theme.text
        onLinkAsked: address => root.linkAsked(address)
    }
    Loader {
        active: root.isWriting
        sourceComponent: PenMark {
            text: body
        }
    }
}
