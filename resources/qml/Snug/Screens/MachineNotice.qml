import QtQuick
import QtQuick.Layouts
import Snug.Models
import Snug.Style
import Snug.Parts

// What changed on this computer, until it is noted, and where two sources differ: quiet lines within the card.
ColumnLayout {
    id: root

    required property QtObject source
    readonly property MachineNews news: source as MachineNews

    visible: root.news !== null && (root.news.changesText !== "" || root.news.differencesText !== "")
    spacing: Theme.spaceS

    RowLayout {
        visible: changes.text !== ""
        spacing: Theme.spaceS
        Layout.fillWidth: true

        TintedIcon {
            name: "sparkles"
            size: 16
            color: Theme.accent
            Layout.alignment: Qt.AlignTop
            Layout.topMargin: 2
        }
        SmallText {
            id: changes
            objectName: "machineChanges"
            text: root.news !== null ? root.news.changesText : ""
            color: Theme.text
            wrapMode: Text.Wrap
            Layout.fillWidth: true
            Accessible.role: Accessible.Notification
            Accessible.name: qsTr("New since last time: %1").arg(text)
        }
        IconButton {
            objectName: "noteMachineChanges"
            iconName: "x"
            label: qsTr("Do not mention this again")
            onClicked: root.news.note()
        }
    }
    RowLayout {
        visible: differences.text !== ""
        spacing: Theme.spaceS
        Layout.fillWidth: true

        TintedIcon {
            name: "info"
            size: 16
            color: Theme.quiet
            Layout.alignment: Qt.AlignTop
            Layout.topMargin: 2
        }
        SmallText {
            id: differences
            objectName: "machineDifferences"
            text: root.news !== null ? root.news.differencesText : ""
            wrapMode: Text.Wrap
            Layout.fillWidth: true
        }
    }
}
