pragma ComponentBehavior: Bound
import QtQuick
import QtQuick.Layouts
import Snug.Models
import Snug.Style
import Snug.Parts

// The finished file: what was predicted and what came out side by side, its checks, and what to do with it.
Card {
    id: root

    required property ConversionResult result
    signal another

    contentItem: ColumnLayout {
        spacing: Theme.spaceM

        RowLayout {
            spacing: Theme.spaceM

            TintedIcon {
                name: root.result.hasTrouble ? "triangle-alert" : "circle-check"
                size: 24
                color: root.result.hasTrouble ? Theme.tight : Theme.good
            }
            HeadingText {
                objectName: "fitDoneTitle"
                text: root.result.title
                wrapMode: Text.Wrap
                Layout.fillWidth: true
            }
        }
        SmallText {
            objectName: "fitDoneWords"
            text: root.result.summary
            wrapMode: Text.Wrap
            Layout.fillWidth: true
        }
        GridLayout {
            columns: 3
            columnSpacing: Math.round(Theme.spaceXl / Theme.textScale)
            rowSpacing: Theme.spaceS
            Layout.fillWidth: true

            Item {
                implicitWidth: 1
                implicitHeight: 1
            }
            CaptionText {
                text: qsTr("Predicted")
                Layout.fillWidth: true
                Layout.maximumWidth: implicitWidth
            }
            CaptionText {
                text: qsTr("Came out")
                Layout.fillWidth: true
            }
            Repeater {
                model: root.result.cells

                BodyText {
                    required property var modelData
                    text: modelData.text
                    color: modelData.kind === "after" ? Theme.text : Theme.quiet
                    font.weight: modelData.kind === "after" ? Font.DemiBold : Font.Normal
                    wrapMode: Text.Wrap
                    Layout.fillWidth: true
                    Layout.minimumWidth: Math.min(implicitWidth, Math.round(90 * Theme.textScale))
                    Layout.maximumWidth: modelData.kind === "after" ? 1000 : Math.ceil(implicitWidth) + 1
                }
            }
        }
        ColumnLayout {
            visible: root.result.sample !== ""
            spacing: Theme.spaceXs
            Layout.fillWidth: true

            SmallText {
                text: root.result.question
                wrapMode: Text.Wrap
                Layout.fillWidth: true
            }
            BodyText {
                objectName: "fitSample"
                text: "“" + root.result.sample + "”"
                wrapMode: Text.Wrap
                Layout.fillWidth: true
                Layout.maximumWidth: 720
            }
        }
        Flow {
            spacing: Theme.spaceM
            Layout.fillWidth: true

            PrimaryButton {
                objectName: "fitChat"
                text: qsTr("Chat with it")
                iconName: "message-circle"
                onClicked: root.result.chat()
            }
            QuietButton {
                objectName: "fitCompare"
                visible: !root.result.isComparing
                text: qsTr("Compare with the original")
                onClicked: root.result.compare()
            }
            QuietButton {
                objectName: "fitStopComparing"
                visible: root.result.isComparing
                text: qsTr("Stop comparing")
                onClicked: root.result.stopComparing()
            }
            QuietButton {
                objectName: "fitAnother"
                text: qsTr("Make another")
                onClicked: root.another()
            }
        }
        CaptionText {
            objectName: "fitCompareCost"
            visible: text !== ""
            text: root.result.isComparing ? root.result.comparingText : root.result.compareCost
            wrapMode: Text.Wrap
            Layout.fillWidth: true
        }
        ProgressLine {
            visible: root.result.isComparing
            value: root.result.comparingShare
            label: qsTr("Comparing it with the original")
            Layout.fillWidth: true
        }
        BodyText {
            objectName: "fitComparison"
            visible: text !== ""
            text: root.result.comparison
            wrapMode: Text.Wrap
            Layout.fillWidth: true
        }
        Divider {
            visible: root.result.checks.length > 0
            implicitHeight: 1
            Layout.fillWidth: true
        }
        StrongText {
            visible: root.result.checks.length > 0
            text: qsTr("What was checked")
        }
        Repeater {
            model: root.result.checks

            RowLayout {
                id: check
                required property var modelData
                spacing: Theme.spaceS
                Layout.fillWidth: true

                TintedIcon {
                    name: check.modelData.state === "good" ? "circle-check" : check.modelData.state === "quiet" ? "info" : "triangle-alert"
                    size: 16
                    color: check.modelData.state === "good" ? Theme.good : check.modelData.state === "quiet" ? Theme.quiet : Theme.tight
                    Layout.alignment: Qt.AlignTop
                }
                SmallText {
                    objectName: "fitCheck"
                    text: check.modelData.text
                    color: check.modelData.state === "tight" ? Theme.text : Theme.quiet
                    wrapMode: Text.Wrap
                    Layout.fillWidth: true
                }
            }
        }
        Repeater {
            model: root.result.notes

            SmallText {
                required property string modelData
                text: modelData
                wrapMode: Text.Wrap
                Layout.fillWidth: true
            }
        }
        Fold {
            objectName: "fitCheckDetails"
            visible: root.result.checkDetails !== "" || root.result.details.length > 0
            text: qsTr("Details and raw figures")
            Layout.fillWidth: true

            Repeater {
                model: root.result.details

                SmallText {
                    required property string modelData
                    text: modelData
                    wrapMode: Text.Wrap
                    Layout.fillWidth: true
                }
            }
            SmallText {
                visible: text !== ""
                text: root.result.checkDetails
                font.family: Theme.codeFamily
                wrapMode: Text.WrapAnywhere
                maximumLineCount: 60
                Layout.fillWidth: true
            }
        }
    }
}
