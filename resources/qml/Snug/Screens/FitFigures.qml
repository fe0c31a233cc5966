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
    readonly property ConversionSize size: model.size
    signal textWanted

    contentItem: ColumnLayout {
        spacing: Theme.spaceM

        HeadingText {
            text: qsTr("What you get")
        }
        Repeater {
            model: root.size.figures

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
            segments: root.size.fit.segments
            limit: root.size.fit.limit
            words: root.size.fit.memoryText
            legend: false
            Layout.fillWidth: true
        }
        RowLayout {
            spacing: Theme.spaceS
            Layout.fillWidth: true

            BodyText {
                text: qsTr("Learn from a text")
                color: Theme.quiet
                wrapMode: Text.Wrap
                Layout.fillWidth: true
            }
            Choice {
                objectName: "fitWeighing"
                label: qsTr("Learn from a text")
                readonly property var values: ["", "neutral", "chats", "mine"]
                model: [qsTr("No: fastest"), qsTr("Snug's own texts"), qsTr("My conversations"), root.size.ownText === "" ? qsTr("A text of mine…") : root.size.ownText]
                currentIndex: values.indexOf(root.size.weighing)
                onActivated: index => {
                    if (values[index] === "mine" && (root.size.ownText === "" || root.size.weighing === "mine"))
                        root.textWanted();
                    else
                        root.size.weigh(values[index]);
                    currentIndex = Qt.binding(() => values.indexOf(root.size.weighing));
                }
            }
        }
        CaptionText {
            objectName: "fitLearning"
            text: root.size.learningWords
            wrapMode: Text.Wrap
            Layout.fillWidth: true
        }
        RowLayout {
            visible: root.size.weighing !== ""
            spacing: Theme.spaceS
            Layout.fillWidth: true

            BodyText {
                text: qsTr("Take longer, lose less")
                color: Theme.quiet
                wrapMode: Text.Wrap
                Layout.fillWidth: true
            }
            Toggle {
                objectName: "fitThorough"
                label: qsTr("Take longer, lose less")
                checked: root.size.isThorough
                onToggled: root.size.beThorough(checked)
            }
        }
        Fold {
            objectName: "fitDetails"
            text: qsTr("Details")
            Layout.fillWidth: true

            SmallText {
                text: root.size.typeWords
                wrapMode: Text.Wrap
                Layout.fillWidth: true
            }
            Repeater {
                model: root.model.details

                SmallText {
                    required property string modelData
                    objectName: "fitDetail"
                    text: modelData
                    wrapMode: Text.Wrap
                    Layout.fillWidth: true
                }
            }
        }
        SmallText {
            objectName: "fitRoom"
            visible: text !== ""
            text: root.size.roomProblem
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
            enabled: root.size.roomProblem === ""
            tall: true
            onClicked: root.model.make()
            Layout.fillWidth: true
        }
        LinkButton {
            objectName: "fitDiscard"
            visible: root.model.isUnfinished
            text: qsTr("Throw away what is done")
            iconName: "trash-2"
            onClicked: discardAsk.open()
        }
    }

    AskDialog {
        id: discardAsk
        objectName: "fitDiscardAsk"
        title: qsTr("Throw away what is done?")
        text: qsTr("The unfinished file is removed. The original stays as it is, and the file can be begun again at any time.")
        confirmText: qsTr("Throw away")
        cancelText: qsTr("Keep it")
        danger: true
        onAccepted: root.model.discard()
    }
}
