pragma ComponentBehavior: Bound
import QtQuick
import QtQuick.Controls.Basic
import QtQuick.Layouts
import Snug.Style
import Snug.Parts

// One setting: its words at the left, its control at the right, and a way back where it was changed.
ColumnLayout {
    id: root

    required property string key
    required property string sectionHead
    required property string title
    required property string explanation
    required property string kind
    required property var value
    required property var choices
    required property real lowest
    required property real highest
    required property real step
    required property int decimals
    required property bool isDefault
    required property string problem
    signal edited(string key, var value)
    signal wantsReset(string key)
    signal folderChosen(string key, url folder)

    spacing: 0

    HeadingText {
        visible: root.sectionHead !== ""
        text: root.sectionHead
        Layout.topMargin: 28
        Layout.bottomMargin: Theme.spaceS
    }
    Divider {
        Layout.fillWidth: true
    }
    GridLayout {
        columns: root.kind === "long" || root.width < 560 ? 1 : 2
        columnSpacing: Theme.spaceXl
        rowSpacing: Theme.spaceS
        Layout.fillWidth: true
        Layout.topMargin: 14
        Layout.bottomMargin: 14

        ColumnLayout {
            spacing: 3
            Layout.fillWidth: true

            StrongText {
                text: root.title
                wrapMode: Text.Wrap
                Layout.fillWidth: true
            }
            SmallText {
                text: root.explanation
                wrapMode: Text.Wrap
                lineHeight: 1.15
                Layout.fillWidth: true
            }
            SmallText {
                visible: root.problem !== ""
                text: root.problem
                color: Theme.badText
                wrapMode: Text.Wrap
                Layout.fillWidth: true
            }
        }
        RowLayout {
            spacing: 0
            Layout.alignment: Qt.AlignRight | Qt.AlignVCenter
            Layout.fillWidth: root.kind === "long"

            IconButton {
                objectName: "reset_" + root.key
                opacity: root.isDefault ? 0 : 1
                enabled: !root.isDefault
                iconName: "rotate-ccw"
                iconSize: 16
                label: qsTr("Back to the usual value: %1").arg(root.title)
                visible: root.kind !== "long" || !root.isDefault
                onClicked: root.wantsReset(root.key)
            }
            Loader {
                Layout.fillWidth: root.kind === "long"
                sourceComponent: root.kind === "bool" ? toggle : root.kind === "choice" ? choice : root.kind === "int" || root.kind === "float" ? number : root.kind === "folder" ? folder : root.kind === "secret" ? secret : root.kind === "long" ? longText : line
            }
        }
    }

    Component {
        id: toggle

        Toggle {
            objectName: "set_" + root.key
            label: root.title
            checked: root.value
            onClicked: root.edited(root.key, checked)
        }
    }
    Component {
        id: choice

        Choice {
            objectName: "set_" + root.key
            label: root.title
            model: root.choices
            textRole: "text"
            valueRole: "value"
            currentIndex: Math.max(0, root.choices.findIndex(item => item.value === root.value))
            onActivated: root.edited(root.key, currentValue)
        }
    }
    Component {
        id: number

        NumberEntry {
            objectName: "set_" + root.key
            label: root.title
            number: root.value
            lowest: root.lowest
            highest: root.highest
            step: root.step
            decimals: root.decimals
            onEdited: number => root.edited(root.key, number)
        }
    }
    Component {
        id: line

        TextEntry {
            objectName: "set_" + root.key
            label: root.title
            implicitWidth: 280
            text: root.value
            onEditingFinished: root.edited(root.key, text)
        }
    }
    Component {
        id: longText

        LongTextEntry {
            objectName: "set_" + root.key
            label: root.title
            text: root.value
            onEdited: text => root.edited(root.key, text)
        }
    }
    Component {
        id: secret

        SecretSetting {
            objectName: "set_" + root.key
            title: root.title
            kept: root.value
            onKeep: text => root.edited(root.key, text)
        }
    }
    Component {
        id: folder

        FolderSetting {
            objectName: "set_" + root.key
            title: root.title
            path: root.value
            onChosen: folder => root.folderChosen(root.key, folder)
        }
    }
}
