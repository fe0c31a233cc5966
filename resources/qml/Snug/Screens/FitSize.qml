pragma ComponentBehavior: Bound
import QtQuick
import QtQuick.Layouts
import Snug.Models
import Snug.Style
import Snug.Parts

// How small: the slider from smallest to original, and what each size loses.
Card {
    id: root

    required property MakeItFitModel model

    contentItem: ColumnLayout {
        spacing: Theme.spaceS

        RowLayout {
            HeadingText {
                text: qsTr("How small?")
                Layout.fillWidth: true
            }
            Badge {
                objectName: "fitVerdict"
                kind: root.model.fit.verdictKind
                text: root.model.fit.verdictText
            }
        }
        ValueSlider {
            id: slider
            objectName: "fitSlider"
            label: qsTr("How small, from smallest to best")
            spokenValue: root.model.stopWords
            from: 0
            to: Math.max(1, root.model.stopCount - 1)
            stepSize: 1
            value: root.model.stop
            onMoved: root.model.choose(Math.round(value))
            Layout.fillWidth: true
        }
        Item {
            implicitHeight: 24
            Layout.fillWidth: true

            Repeater {
                model: root.model.labels

                CaptionText {
                    required property var modelData
                    readonly property bool isChosen: root.model.stop >= modelData.first && root.model.stop <= modelData.last
                    x: Math.max(0, Math.min(parent.width - width, 17 + modelData.place * (parent.width - 34) - width / 2))
                    text: modelData.text
                    color: isChosen ? Theme.text : Theme.quiet
                    font.weight: isChosen ? Font.DemiBold : Font.Normal
                }
            }
        }
        LossCurve {
            objectName: "fitCurve"
            points: root.model.curvePoints
            measured: root.model.curveMeasured
            rows: root.model.curveRows
            columns: root.model.curveColumns
            tooBigFrom: root.model.tooBigFrom
            chosen: root.model.chosenType
            spoken: root.model.curveWords
            Layout.fillWidth: true
            Layout.fillHeight: true
            Layout.minimumHeight: 180
        }
        CaptionText {
            text: root.model.curveWords
            wrapMode: Text.Wrap
            Layout.fillWidth: true
        }
    }
}
