import QtQuick
import Snug.Parts

// What the model thought before it answered, folded.
Item {
    id: root

    required property string text
    required property string marker

    implicitHeight: fold.implicitHeight - 8

    Fold {
        id: fold
        objectName: "thoughts"
        y: 0
        width: parent.width
        text: root.marker

        SmallText {
            text: root.text
            width: fold.width - 24
            wrapMode: Text.Wrap
            lineHeight: 1.35
        }
    }
}
