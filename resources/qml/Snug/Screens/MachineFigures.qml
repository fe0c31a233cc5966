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

        AskDialog {
            id: correction
            property string key: ""
            property string unit: ""
            property real chosen: number.value / number.factor

            objectName: "correction"
            text: qsTr("Your figure counts from now on, everywhere. What Snug read stays known, and can be taken back.")
            confirmText: qsTr("Use this figure")
            onAccepted: root.model.correct(correction.key, correction.chosen)

            RowLayout {
                spacing: Theme.spaceM

                NumberEntry {
                    id: number
                    objectName: "correctionNumber"
                    label: correction.title
                    Layout.preferredWidth: 200
                }
                SmallText {
                    text: correction.unit
                }
            }
        }

        delegate: Item {
            id: row
            required property string label
            required property string value
            required property string source
            required property bool isKnown
            required property string key
            required property string unit
            required property real amount
            required property real lowest
            required property real highest
            required property bool isCorrectable
            required property bool isCorrected

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
                    Layout.alignment: Qt.AlignTop

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
                IconButton {
                    objectName: "takeBack-" + row.key
                    Layout.topMargin: -4 // into the row's padding: rows with and without it are equally high
                    Layout.bottomMargin: -4
                    visible: row.isCorrected
                    iconName: "undo-2"
                    label: qsTr("%1: use what Snug read").arg(row.label)
                    onClicked: root.model.takeBack(row.key)
                }
                IconButton {
                    objectName: "correct-" + row.key
                    Layout.topMargin: -4 // into the row's padding: rows with and without it are equally high
                    Layout.bottomMargin: -4
                    visible: row.isCorrectable
                    iconName: "pencil"
                    label: qsTr("Correct %1").arg(row.label)
                    onClicked: {
                        correction.key = row.key;
                        correction.title = row.label;
                        correction.unit = row.unit;
                        number.lowest = row.lowest;
                        number.highest = row.highest;
                        number.decimals = row.unit === "" ? 0 : 1;
                        number.number = row.amount;
                        correction.open();
                    }
                }
            }
        }
    }
}
