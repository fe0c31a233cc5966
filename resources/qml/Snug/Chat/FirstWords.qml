pragma ComponentBehavior: Bound
import QtQuick
import Snug.Style
import Snug.Parts

// An empty chat: what it is for, and three questions to begin with.
Column {
    id: root

    property bool canSend: true
    readonly property list<string> examples: [qsTr("What is Snug?"), qsTr("What is the capital of France?"), qsTr("Where do I get a bigger model?")]
    signal chosen(string words)

    spacing: Theme.spaceM

    TintedIcon {
        anchors.horizontalCenter: parent.horizontalCenter
        name: "message-circle"
        size: 28
        color: Theme.accent
    }
    HeadingText {
        anchors.horizontalCenter: parent.horizontalCenter
        width: Math.min(implicitWidth, parent.width)
        wrapMode: Text.Wrap
        horizontalAlignment: Text.AlignHCenter
        text: qsTr("What would you like to know?")
    }
    SmallText {
        anchors.horizontalCenter: parent.horizontalCenter
        width: Math.min(parent.width, 520)
        text: qsTr("The model runs on this computer. What you write and what it answers stay here.")
        wrapMode: Text.Wrap
        horizontalAlignment: Text.AlignHCenter
    }
    Item {
        width: 1
        height: Theme.spaceXs
    }
    Grid {
        anchors.horizontalCenter: parent.horizontalCenter
        columns: root.width > 560 * Theme.textScale ? 3 : 1
        horizontalItemAlignment: Grid.AlignHCenter
        spacing: Theme.spaceS

        Repeater {
            model: root.examples

            QuietButton {
                required property string modelData
                required property int index

                objectName: "example" + index
                text: modelData
                enabled: root.canSend
                onClicked: root.chosen(modelData)
            }
        }
    }
}
