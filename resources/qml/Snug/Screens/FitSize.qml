pragma ComponentBehavior: Bound
import QtQuick
import QtQuick.Layouts
import Snug.Models
import Snug.Style
import Snug.Parts

// How small: the slider from smallest to original, and what each size loses.
Card {
    id: root

    required property ConversionSize size

    contentItem: ColumnLayout {
        spacing: Theme.spaceS

        RowLayout {
            HeadingText {
                text: qsTr("How small?")
                Layout.fillWidth: true
            }
            Badge {
                objectName: "fitVerdict"
                kind: root.size.fit.verdictKind
                text: root.size.fit.verdictText
            }
        }
        ValueSlider {
            id: slider
            objectName: "fitSlider"
            label: qsTr("How small, from smallest to best")
            spokenValue: root.size.stopWords
            from: 0
            to: Math.max(1, root.size.stopCount - 1)
            stepSize: 1
            value: root.size.stop
            onMoved: root.size.choose(Math.round(value))
            Layout.fillWidth: true
        }
        Item {
            id: names
            readonly property bool hasRoom: width >= 460 * Theme.textScale // for all words beside each other
            implicitHeight: Math.round(24 * Theme.textScale)
            Layout.fillWidth: true

            function placed(share: real, ownWidth: real): real {
                return Math.max(0, Math.min(width - ownWidth, 17 + share * (width - 34) - ownWidth / 2));
            }

            Repeater {
                model: root.size.labels

                CaptionText {
                    required property var modelData
                    readonly property bool isChosen: root.size.stop >= modelData.first && root.size.stop <= modelData.last
                    readonly property bool touches: x < chosen.x + chosen.width + Theme.spaceS && x + width + Theme.spaceS > chosen.x
                    objectName: "fitSizeName"
                    visible: names.hasRoom && !isChosen && !touches
                    x: names.placed(modelData.place, width)
                    text: modelData.text
                }
            }
            CaptionText {
                id: chosen
                objectName: "fitChosenName"
                x: names.placed(slider.visualPosition, width) // under the knob
                text: root.size.stopName
                color: Theme.text
                font.weight: Font.DemiBold
            }
        }
        LossCurve {
            objectName: "fitCurve"
            points: root.size.curve.points
            measured: root.size.curve.measured
            rows: root.size.curve.rows
            columns: root.size.curve.columns
            tooBigFrom: root.size.curve.tooBigFrom
            chosen: root.size.chosenType
            spoken: root.size.curveWords
            Layout.fillWidth: true
            Layout.fillHeight: true
            Layout.minimumHeight: 180
        }
        CaptionText {
            text: root.size.curveWords
            wrapMode: Text.Wrap
            Layout.fillWidth: true
        }
    }
}
