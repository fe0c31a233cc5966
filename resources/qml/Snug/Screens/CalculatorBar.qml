import QtQuick
import QtQuick.Layouts
import Snug.Style
import Snug.Parts

// One computer: its name, the need as a share of what is free there, and the verdict in words.
ColumnLayout {
    id: root

    required property int index
    required property string name
    required property bool isHere
    required property real share
    required property string verdictKind
    required property string verdictText
    required property string speed
    required property string words

    objectName: "calculatorBar" + index
    spacing: Theme.spaceXs
    Accessible.role: Accessible.Grouping
    Accessible.name: `${name}: ${verdictText}, ${words}`

    RowLayout {
        spacing: Theme.spaceS
        Layout.fillWidth: true

        BodyText {
            text: root.name
            font.weight: root.isHere ? Font.DemiBold : Font.Normal
            elide: Text.ElideRight
            Layout.fillWidth: true
        }
        Badge {
            kind: root.verdictKind
            text: root.verdictText
        }
    }
    Rectangle {
        implicitHeight: 8
        radius: 4
        color: Theme.barFree
        Layout.fillWidth: true
        Accessible.ignored: true

        Rectangle {
            width: Math.min(1, root.share) * parent.width
            height: parent.height
            radius: 4
            color: root.share > 1 ? Theme.bad : root.verdictKind === "tight" ? Theme.tight : Theme.barModel
        }
    }
    RowLayout {
        spacing: Theme.spaceM
        Layout.fillWidth: true

        SmallText {
            text: root.words
            Layout.fillWidth: true
        }
        SmallText {
            text: root.speed
        }
    }
}
