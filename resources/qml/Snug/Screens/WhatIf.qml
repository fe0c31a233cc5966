pragma ComponentBehavior: Bound
import QtQuick
import QtQuick.Controls.Basic
import QtQuick.Layouts
import Snug.Models
import Snug.Style
import Snug.Parts

// What if I had another computer? A list of known ones, or figures by hand, and the picks there.
ScreenPage {
    id: root

    required property WhatIfModel model
    readonly property bool isWide: width >= 780 * Theme.roomScale

    component Figure: ColumnLayout {
        id: figure
        required property int index
        required property string label
        required property string example
        property alias name: entry.objectName

        spacing: Theme.spaceXs
        Layout.fillWidth: true

        SmallText {
            text: figure.label
            Layout.fillWidth: true
            Accessible.ignored: true
        }
        TextEntry {
            id: entry
            label: figure.label
            placeholderText: figure.example
            text: root.model.figures[figure.index]
            Layout.fillWidth: true
            onTextEdited: root.model.write(figure.index, text)
            onTextChanged: text === "" && root.model.figures[figure.index] !== "" && root.model.write(figure.index, "")
        }
    }

    RowLayout {
        Layout.fillWidth: true

        LinkButton {
            objectName: "whatIfBack"
            iconName: "chevron-left"
            text: qsTr("Home")
            onClicked: root.model.back()
        }
        Item {
            Layout.fillWidth: true
        }
        LinkButton {
            objectName: "openCalculator"
            text: qsTr("Memory calculator")
            trailingIcon: "arrow-right"
            onClicked: root.model.calculate()
        }
    }
    ColumnLayout {
        spacing: 2
        Layout.fillWidth: true

        TitleText {
            text: qsTr("What if I had another computer?")
            wrapMode: Text.Wrap
            Layout.fillWidth: true
        }
        BodyText {
            text: qsTr("Pick a computer or a graphics card: Snug says which models it would run best, and how fast.")
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
            Layout.preferredWidth: root.isWide ? Math.round(340 * Theme.roomScale) : -1
            Layout.alignment: Qt.AlignTop
            padding: Theme.spaceL

            contentItem: ColumnLayout {
                spacing: Theme.spaceM

                TextEntry {
                    objectName: "whatIfSearch"
                    label: qsTr("Find a computer or graphics card")
                    placeholderText: qsTr("Find, for example: macbook, 4060")
                    iconName: "search"
                    text: root.model.search
                    Layout.fillWidth: true
                    onTextChanged: root.model.find(text)
                    Keys.onDownPressed: list.forceActiveFocus()
                }
                ListView {
                    id: list
                    objectName: "whatIfList"
                    clip: true
                    activeFocusOnTab: true
                    boundsBehavior: Flickable.StopAtBounds
                    model: root.model.machines
                    Layout.fillWidth: true
                    Layout.preferredHeight: Math.round((root.isWide ? 250 : 200) * Theme.roomScale)
                    Accessible.role: Accessible.List
                    Accessible.name: qsTr("Computers")
                    ScrollBar.vertical: QuietScrollBar {}
                    highlightMoveDuration: 0
                    highlight: Item {
                        z: 2

                        FocusRing {
                            shown: list.activeFocus
                            gap: -2
                        }
                    }
                    Keys.onReturnPressed: (currentItem as ListRow)?.click()
                    Keys.onEnterPressed: (currentItem as ListRow)?.click()
                    Keys.onSpacePressed: (currentItem as ListRow)?.click()

                    delegate: ListRow {
                        required property string name
                        required property string about
                        required property bool isChosen
                        required property int index

                        objectName: "machine_" + index
                        width: ListView.view ? ListView.view.width : 0
                        implicitHeight: Math.round(54 * Theme.roomScale)
                        leftPadding: Theme.spaceM
                        rightPadding: Theme.spaceM
                        focusPolicy: Qt.NoFocus
                        text: name
                        subtitle: about
                        current: isChosen
                        onClicked: {
                            ListView.view.currentIndex = index;
                            root.model.choose(name);
                        }
                    }
                }
                SmallText {
                    visible: list.count === 0
                    text: qsTr("No computer of that name is known. Give its figures below.")
                    wrapMode: Text.Wrap
                    Layout.fillWidth: true
                }
                Divider {
                    Layout.fillWidth: true
                    implicitHeight: 1
                }
                StrongText {
                    text: qsTr("Or its figures")
                    color: root.model.isByHand ? Theme.accent : Theme.text
                    Layout.fillWidth: true
                }
                SmallText {
                    objectName: "whatIfProblem"
                    visible: root.model.problem !== ""
                    text: root.model.problem
                    color: Theme.badText
                    wrapMode: Text.Wrap
                    Layout.fillWidth: true
                }
                Figure {
                    index: 0
                    name: "whatIfMemory"
                    label: qsTr("Memory")
                    example: qsTr("32 GB")
                }
                Figure {
                    index: 1
                    name: "whatIfCards"
                    label: qsTr("Graphics memory, where it has a card")
                    example: qsTr("12 GB")
                }
                Figure {
                    index: 2
                    name: "whatIfBandwidth"
                    label: qsTr("How fast that memory is read")
                    example: qsTr("360 GB/s")
                }
            }
        }
        ColumnLayout {
            spacing: Theme.spaceM
            Layout.fillWidth: true
            Layout.alignment: Qt.AlignTop

            EmptyState {
                objectName: "whatIfEmpty"
                visible: root.model.title === ""
                iconName: "laptop"
                title: qsTr("Choose a computer")
                text: qsTr("You will see the models that Snug would pick on it, how fast they answer there, and how they do on this computer.")
                Layout.fillWidth: true
            }
            Card {
                visible: root.model.title !== ""
                padding: Theme.spaceL
                Layout.fillWidth: true

                contentItem: ColumnLayout {
                    spacing: 2

                    HeadingText {
                        objectName: "whatIfTitle"
                        text: root.model.title
                        wrapMode: Text.Wrap
                        Layout.fillWidth: true
                    }
                    SmallText {
                        text: root.model.machineText
                        wrapMode: Text.Wrap
                        Layout.fillWidth: true
                    }
                    SmallText {
                        objectName: "whatIfFree"
                        text: root.model.memoryText
                        wrapMode: Text.Wrap
                        Layout.fillWidth: true
                    }
                }
            }
            Flow {
                visible: root.model.title !== ""
                spacing: Theme.spaceXs
                Layout.fillWidth: true

                Repeater {
                    model: root.model.uses

                    Chip {
                        required property var modelData
                        objectName: "whatIfUse_" + modelData.key
                        text: modelData.text
                        checkable: true
                        autoExclusive: true
                        checked: root.model.use === modelData.key
                        onClicked: root.model.chooseUse(modelData.key)
                    }
                }
            }
            SmallText {
                visible: root.model.isWeighing && picks.count === 0
                text: qsTr("Weighing the models…")
                Layout.fillWidth: true
            }
            Repeater {
                id: picks
                model: root.model.picks

                WhatIfPick {
                    Layout.fillWidth: true
                }
            }
            SmallText {
                objectName: "whatIfNothing"
                visible: root.model.nothingText !== ""
                text: root.model.nothingText
                wrapMode: Text.Wrap
                Layout.fillWidth: true
            }
        }
    }
}
