pragma ComponentBehavior: Bound
import QtQuick
import QtQuick.Layouts
import Snug.Models
import Snug.Style
import Snug.Parts

// This computer in two lines and a bar of its memory.
Card {
    id: root

    required property HomeModel model

    padding: 24
    topPadding: 20

    contentItem: ColumnLayout {
        spacing: 0

        RowLayout {
            spacing: 14
            Layout.fillWidth: true

            TintedIcon {
                name: "laptop"
                size: 26
                color: Theme.accent
            }
            ColumnLayout {
                spacing: 2
                Layout.fillWidth: true

                StrongText {
                    text: qsTr("This computer")
                }
                SmallText {
                    objectName: "machineLine"
                    text: root.model.machineLine
                    wrapMode: Text.Wrap
                    Layout.fillWidth: true
                }
            }
            LinkButton {
                objectName: "whatIf"
                visible: root.model.isKnown
                text: qsTr("What if I had another?")
                Accessible.description: qsTr("What if I had another computer?")
                onClicked: root.model.whatIf()
            }
            LinkButton {
                objectName: "isThisRight"
                visible: root.model.isKnown
                text: qsTr("Is this right?")
                onClicked: figures.open()
            }
            LinkButton {
                objectName: "readMachineAgain"
                visible: !root.model.isKnown && !root.model.isReading
                text: qsTr("Try again")
                onClicked: root.model.readAgain()
            }
        }
        MemoryBar {
            segments: root.model.segments
            legend: false
            spoken: root.model.freeText
            Layout.fillWidth: true
            Layout.topMargin: 14
        }
        GridLayout {
            // Side by side where both have room, else what is free comes first.
            columns: used.implicitWidth + free.implicitWidth + columnSpacing <= width ? 2 : 1
            columnSpacing: Theme.spaceL
            rowSpacing: 2
            layoutDirection: columns === 2 ? Qt.RightToLeft : Qt.LeftToRight
            Layout.fillWidth: true
            Layout.topMargin: 10

            SmallText {
                id: free
                objectName: "freeMemory"
                text: root.model.isKnown ? root.model.freeText : qsTr("One moment")
                color: Theme.text
                font.weight: Font.DemiBold
                wrapMode: Text.Wrap
                Layout.maximumWidth: parent.width
            }
            SmallText {
                id: used
                objectName: "usedMemory"
                text: root.model.usedText
                wrapMode: Text.Wrap
                Layout.fillWidth: true
            }
        }
        MachineNotice {
            source: root.model.news
            Layout.fillWidth: true
            Layout.topMargin: visible ? Theme.spaceM : 0
        }
    }

    MachineFigures {
        id: figures
        model: root.model
    }
}
