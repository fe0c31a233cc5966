pragma ComponentBehavior: Bound
import QtQuick
import QtQuick.Controls.Basic
import QtQuick.Layouts
import Snug.Models
import Snug.Style
import Snug.Parts

// Home: a greeting, this computer, the three models that suit it, and Pip.
ScreenPage {
    id: root

    required property HomeModel model

    spacing: 0

    RowLayout {
        Layout.fillWidth: true
        Layout.minimumHeight: 44

        TitleText {
            text: root.model.greeting
            Layout.fillWidth: true
        }
        Pill {
            iconName: "wifi-off"
            text: qsTr("Works offline")
        }
    }
    MachineCard {
        model: root.model
        Layout.fillWidth: true
        Layout.topMargin: 15
    }
    SpeedTestLine {
        test: root.model.speedTest
        Layout.fillWidth: true
        Layout.topMargin: visible ? 6 : 0
    }
    SectionTitle {
        text: qsTr("Best for you")
        Layout.fillWidth: true
        Layout.topMargin: 23

        Repeater {
            model: root.model.uses

            Chip {
                required property var modelData
                objectName: "use_" + modelData.key
                text: modelData.text
                checkable: true
                autoExclusive: true
                checked: root.model.use === modelData.key
                onClicked: root.model.chooseUse(modelData.key)
            }
        }
    }
    GettingProblem {
        getting: root.model.getting
        Layout.fillWidth: true
        Layout.topMargin: visible ? 9 : 0
    }
    GridLayout {
        id: cards
        columns: root.width >= 820 * Theme.roomScale ? 3 : root.width >= 560 * Theme.roomScale ? 2 : 1
        columnSpacing: 16
        rowSpacing: 16
        uniformCellWidths: true
        Layout.fillWidth: true
        Layout.topMargin: 9

        Repeater {
            model: root.model.picks

            PickCard {
                isNarrow: root.width < 900
                getting: root.model.getting
                Layout.fillWidth: true
                Layout.fillHeight: true
                onWanted: key => root.model.getAndChat(key)
            }
        }
        Repeater {
            model: root.model.isKnown ? 0 : 3

            WaitingCard {
                Layout.fillWidth: true
                implicitHeight: 288
            }
        }
    }
    EmptyState {
        objectName: "nothingFits"
        visible: root.model.nothingText !== ""
        iconName: "box"
        title: qsTr("Nothing in this list fits")
        text: root.model.nothingText
        primaryText: qsTr("See all models")
        onPrimary: root.model.moreModels()
        Layout.fillWidth: true
    }
    RowLayout {
        spacing: Theme.spaceXs
        Layout.fillWidth: true
        Layout.topMargin: 22

        TintedIcon {
            name: "sparkles"
            color: Theme.quiet
            size: 18
            Layout.rightMargin: 6
        }
        BodyText {
            visible: root.width > 680 * Theme.textScale
            text: qsTr("No internet, or just curious?")
            color: Theme.quiet
        }
        LinkButton {
            objectName: "tryPip"
            text: qsTr("Try Pip, the tiny built-in model")
            onClicked: root.model.tryPip()
        }
        Item {
            Layout.fillWidth: true
        }
        LinkButton {
            objectName: "moreModels"
            text: qsTr("More models")
            trailingIcon: "arrow-right"
            onClicked: root.model.moreModels()
        }
    }
}
