import QtQuick
import Snug.Style
import Snug.Parts

// Why an answer is not whole, what was kept, and the button that mends it.
Item {
    id: root

    required property int messageId
    required property string text
    required property string note
    required property string action
    required property string details
    signal mendAsked(int messageId)
    signal copyAsked(string text)

    implicitHeight: card.implicitHeight + Theme.spaceL

    ErrorCard {
        id: card
        objectName: "problem"
        y: Theme.spaceL
        width: parent.width
        title: root.text
        text: root.note
        actionText: root.action
        details: root.details
        onAction: root.mendAsked(root.messageId)
        onCopyDetails: text => root.copyAsked(text)
    }
}
