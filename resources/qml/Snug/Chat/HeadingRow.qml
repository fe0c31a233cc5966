pragma ComponentBehavior: Bound
import QtQuick
import Snug.Style

// A heading inside an answer.
Item {
    id: root

    required property string text
    required property string rich
    required property list<string> links
    required property int level
    required property int quote
    required property bool isWriting
    signal linkAsked(string address)

    implicitHeight: body.implicitHeight + 12

    Loader {
        active: root.quote > 0
        height: parent.height
        sourceComponent: QuoteBars {
            quote: root.quote
        }
    }
    ReadingText {
        id: body
        x: root.quote * 15
        y: 12
        width: root.width - x
        rich: root.rich
        plain: root.text
        links: root.links
        font.pixelSize: root.level === 1 ? Theme.headingSize : root.level === 2 ? Theme.bodySize + 2 : Theme.bodySize
        font.weight: Font.DemiBold
        Accessible.role: Accessible.Heading
        onLinkAsked: address => root.linkAsked(address)
    }
    Loader {
        active: root.isWriting
        sourceComponent: PenMark {
            text: body
        }
    }
}
