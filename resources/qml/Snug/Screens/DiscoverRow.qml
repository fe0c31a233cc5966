pragma ComponentBehavior: Bound
import QtQuick
import QtQuick.Layouts
import Snug.Parts

// One model of the list: what it is for at the left, how it would run at the right.
ListRow {
    id: root

    required property string key
    required property string title
    required property string line
    required property string iconId
    required property string verdictKind
    required property string verdictText
    required property string figures

    objectName: "found-" + key
    text: title
    subtitle: line
    iconName: iconId
    Accessible.description: verdictText + ", " + figures + ". " + line

    Badge {
        kind: root.verdictKind
        text: root.verdictText
        Layout.alignment: Qt.AlignRight
    }
    CaptionText {
        text: root.figures
        Layout.alignment: Qt.AlignRight
    }
}
