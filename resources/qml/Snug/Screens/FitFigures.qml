pragma ComponentBehavior: Bound
import QtQuick
import QtQuick.Layouts
import Snug.Models
import Snug.Style
import Snug.Parts

// What the chosen size gives, what the rounding is weighed by, and the button.
Card {
    id: root

    required property MakeItFitModel model
    signal textWanted

    contentItem: ColumnLayout {
        spacing: Theme.spaceM

        HeadingText {
            text: qsTr("What you get")
        }
        Repeater {
            model: root.model.figures

            RowLayout {
                id: figure
                required property var modelData
                spacing: Theme.spaceM
                Layout.fillWidth: true

                BodyText {
                    text: figure.modelData.name
                    color: Theme.quiet
                }
                StrongText {
                    objectName: "fitFigure"
                    text: figure.modelData.value
                    horizontalAlignment: Text.AlignRight
                    wrapMode: Text.Wrap
                    Layout.fillWidth: true
                }
            }
        }
        Divider {
            implicitHeight: 1
            Layout.fillWidth: true
        }
        MemoryBar {
            segments: root.model.fit.segments
            words: root.model.fit.memoryText
            legend: false
            Layout.fillWidth: true
        }
        RowLayout {
            spacing: Theme.spaceS
            Layout.fillWidth: true

            SmallText {
                text: qsTr("Weigh the rounding by")
                Layout.fillWidth: true
            }
            Choice {
                objectName: "fitWeighing"
                label: qsTr("What the rounding is weighed by")
                readonly property var values: ["", "neutral", "chats", "mine"]
                model: [qsTr("Nothing: fastest"), qsTr("Snug's own texts"), qsTr("My conversations"), root.model.ownText === "" ? qsTr("A text of mine…") : root.model.ownText]
                currentIndex: values.indexOf(root.model.weighing)
                onActivated: index => {
                    if (values[index] === "mine" && (root.model.ownText === "" || root.model.weighing === "mine"))
                        root.textWanted();
                    else
                        root.model.weigh(values[index]);
                    currentIndex = Qt.binding(() => values.indexOf(root.model.weighing));
                }
            }
        }
        RowLayout {
            visible: root.model.weighing !== ""
            spacing: Theme.spaceS
            Layout.fillWidth: true

            SmallText {
                text: qsTr("Take longer, lose less")
                Layout.fillWidth: true
            }
            Toggle {
                objectName: "fitThorough"
                label: qsTr("Take longer, lose less")
                checked: root.model.isThorough
                onToggled: root.model.beThorough(checked)
            }
        }
        Fold {
            objectName: "fitDetails"
            text: qsTr("Details")
            Layout.fillWidth: true

            SmallText {
                text: root.model.typeWords
                wrapMode: Text.Wrap
                Layout.fillWidth: true
            }
        }
        SmallText {
            objectName: "fitRoom"
            visible: text !== ""
            text: root.model.roomProblem
            color: Theme.badText
            wrapMode: Text.Wrap
            Layout.fillWidth: true
        }
        Item {
            Layout.fillHeight: true
        }
        PrimaryButton {
            objectName: "makeIt"
            text: root.model.makeText
            enabled: root.model.roomProblem === ""
            tall: true
            onClicked: root.model.make()
            Layout.fillWidth: true
        }
    }
}
