pragma ComponentBehavior: Bound
import QtQuick
import QtQuick.Controls.Basic
import QtQuick.Layouts
import Snug.Models
import Snug.Style
import Snug.Parts

// The memory calculator: a model of any size, and bars against real hardware.
ScreenPage {
    id: root

    required property CalculatorModel model
    readonly property bool isWide: width >= 780 * Theme.roomScale

    component Line: RowLayout {
        id: line
        required property string label
        property string value: ""

        spacing: Theme.spaceS
        Layout.fillWidth: true

        StrongText {
            text: line.label
            Accessible.ignored: true
            Layout.fillWidth: true
        }
        BodyText {
            visible: line.value !== ""
            text: line.value
            color: Theme.quiet
            Accessible.ignored: true
        }
    }
    component Written: TextEntry {
        id: written
        property string value: ""
        signal wanted(string text)

        clearable: false
        text: value
        horizontalAlignment: TextInput.AlignRight
        Layout.preferredWidth: Math.round(150 * Theme.textScale)
        onValueChanged: if (!activeFocus) text = value
        onEditingFinished: {
            if (text !== value)
                wanted(text);
        }
    }

    RowLayout {
        Layout.fillWidth: true

        LinkButton {
            objectName: "calculatorBack"
            iconName: "chevron-left"
            text: qsTr("Home")
            onClicked: root.model.back()
        }
        Item {
            Layout.fillWidth: true
        }
        LinkButton {
            objectName: "openWhatIf"
            text: qsTr("What if I had another computer?")
            trailingIcon: "arrow-right"
            onClicked: root.model.whatIf()
        }
    }
    ColumnLayout {
        spacing: 2
        Layout.fillWidth: true

        TitleText {
            text: qsTr("Memory calculator")
            Layout.fillWidth: true
        }
        BodyText {
            text: qsTr("What a model of any size needs, and on which computers it would run.")
            color: Theme.quiet
            wrapMode: Text.Wrap
            Layout.fillWidth: true
        }
    }
    GridLayout {
        columns: root.isWide ? 2 : 1
        columnSpacing: Theme.spaceL
        rowSpacing: Theme.spaceL
        Layout.fillWidth: true

        Card {
            Layout.fillWidth: !root.isWide
            Layout.preferredWidth: root.isWide ? Math.round(370 * Theme.roomScale) : -1
            Layout.alignment: Qt.AlignTop
            padding: Theme.spaceXl

            contentItem: ColumnLayout {
                spacing: Theme.spaceXs

                RowLayout {
                    Layout.fillWidth: true

                    Line {
                        label: qsTr("Size of the model")
                    }
                    Written {
                        objectName: "calculatorParametersText"
                        label: qsTr("Size of the model in weights (parameters), for example 8B")
                        value: root.model.parametersText
                        onWanted: text => root.model.writeParameters(text)
                    }
                }
                ValueSlider {
                    objectName: "calculatorParameters"
                    label: qsTr("Size of the model")
                    spokenValue: root.model.parametersText
                    value: root.model.parametersPosition
                    stepSize: 0.01
                    snapMode: Slider.NoSnap
                    Layout.fillWidth: true
                    onMoved: root.model.moveParameters(value)
                }
                CaptionText {
                    text: qsTr("The 8B in a model's name: 8 billion weights.")
                    wrapMode: Text.Wrap
                    Layout.fillWidth: true
                }
                Line {
                    label: qsTr("Kept as")
                    value: root.model.typeText
                    Layout.topMargin: Theme.spaceM
                }
                ValueSlider {
                    objectName: "calculatorType"
                    label: qsTr("How finely it is kept, from smaller to better")
                    spokenValue: root.model.typeText
                    from: root.model.typeCount - 1
                    to: 0
                    stepSize: 1
                    value: root.model.typeIndex
                    Layout.fillWidth: true
                    onMoved: root.model.chooseType(Math.round(value))
                }
                RowLayout {
                    Layout.fillWidth: true

                    CaptionText {
                        text: qsTr("Smaller")
                        Layout.fillWidth: true
                    }
                    CaptionText {
                        text: qsTr("Better")
                    }
                }
                RowLayout {
                    Layout.fillWidth: true
                    Layout.topMargin: Theme.spaceM

                    Line {
                        label: qsTr("It remembers")
                    }
                    Written {
                        objectName: "calculatorContextText"
                        label: qsTr("How much it remembers, for example 20 pages or 16k tokens")
                        value: root.model.contextText
                        onWanted: text => root.model.writeContext(text)
                    }
                }
                ValueSlider {
                    objectName: "calculatorContext"
                    label: qsTr("How much it remembers")
                    spokenValue: root.model.contextText
                    value: root.model.contextPosition
                    stepSize: 0.01
                    snapMode: Slider.NoSnap
                    Layout.fillWidth: true
                    onMoved: root.model.moveContext(value)
                }
                Line {
                    label: qsTr("Memory for each page")
                    Layout.topMargin: Theme.spaceM
                }
                Flow {
                    spacing: Theme.spaceXs
                    Layout.fillWidth: true

                    Repeater {
                        model: root.model.kvTypes

                        Chip {
                            required property var modelData
                            objectName: "calculatorKv_" + modelData.key
                            text: modelData.text
                            checkable: true
                            autoExclusive: true
                            checked: root.model.kvType === modelData.key
                            Accessible.description: modelData.key
                            onClicked: root.model.chooseKv(modelData.key)
                        }
                    }
                }
                SmallText {
                    objectName: "calculatorProblem"
                    visible: root.model.problem !== ""
                    text: root.model.problem
                    color: Theme.badText
                    wrapMode: Text.Wrap
                    Layout.fillWidth: true
                    Layout.topMargin: Theme.spaceS
                }
            }
        }
        ColumnLayout {
            spacing: Theme.spaceM
            Layout.fillWidth: true
            Layout.alignment: Qt.AlignTop

            Card {
                padding: Theme.spaceL
                Layout.fillWidth: true

                contentItem: ColumnLayout {
                    spacing: Theme.spaceS

                    HeadingText {
                        objectName: "calculatorNeed"
                        text: root.model.needText
                        Layout.fillWidth: true
                    }
                    MemoryBar {
                        segments: root.model.segments
                        spoken: root.model.needText
                        Layout.fillWidth: true
                    }
                    SmallText {
                        objectName: "calculatorSmallest"
                        text: root.model.smallestText
                        color: Theme.text
                        wrapMode: Text.Wrap
                        Layout.fillWidth: true
                    }
                }
            }
            Card {
                padding: Theme.spaceL
                Layout.fillWidth: true

                contentItem: ColumnLayout {
                    spacing: Theme.spaceM

                    Repeater {
                        model: root.model.bars

                        CalculatorBar {
                            Layout.fillWidth: true
                        }
                    }
                }
            }
        }
    }
}
