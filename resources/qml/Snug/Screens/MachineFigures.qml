pragma ComponentBehavior: Bound
import QtQuick
import QtQuick.Controls.Basic
import QtQuick.Layouts
import Snug.Models
import Snug.Style
import Snug.Parts

// Every figure of this computer, with where it came from or why it is missing.
AskDialog {
    id: root

    required property HomeModel model

    objectName: "machineFigures"
    title: qsTr("What Snug found")
    width: Math.min(680, (parent ? parent.width : 680) - 2 * Theme.spaceXl)
    height: Math.min(620, (parent ? parent.height : 620) - 2 * Theme.spaceXl)
    confirmText: root.model.isReading ? qsTr("Reading…") : qsTr("Read again")
    canConfirm: !root.model.isReading
    cancelText: qsTr("Close")
    onAccepted: {
        root.model.readAgain();
        root.open();
    }

    contentItem: ListView {
        id: list
        clip: true
        model: root.model.figures
        boundsBehavior: Flickable.StopAtBounds
        activeFocusOnTab: true
        ScrollBar.vertical: QuietScrollBar {}
        Accessible.role: Accessible.List
        Accessible.name: qsTr("Figures of this computer")
        Keys.onUpPressed: flick(0, 400)
        Keys.onDownPressed: flick(0, -400)

        delegate: Item {
            id: row
            required property string label
            required property string value
            required property string source
            required property bool isKnown

            width: list.width - 12
            implicitHeight: lines.implicitHeight + 2 * Theme.spaceS

            RowLayout {
                id: lines
                anchors.left: parent.left
                anchors.right: parent.right
                anchors.verticalCenter: parent.verticalCenter
                spacing: Theme.spaceL

                SmallText {
                    text: row.label
                    wrapMode: Text.Wrap
                    Layout.preferredWidth: 170
                    Layout.alignment: Qt.AlignTop
                }
                ColumnLayout {
                    spacing: 2
                    Layout.fillWidth: true

                    SmallText {
                        text: row.value
                        color: row.isKnown ? Theme.text : Theme.quiet
                        font.weight: row.isKnown ? Font.DemiBold : Font.Normal
                        wrapMode: Text.Wrap
                        Layout.fillWidth: true
                    }
                    CaptionText {
                        visible: text !== ""
                        text: row.source
                        wrapMode: Text.Wrap
                        Layout.fillWidth: true
                    }
                }
            }
        }
    }
}
