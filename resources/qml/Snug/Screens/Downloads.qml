pragma ComponentBehavior: Bound
import QtQuick
import QtQuick.Layouts
import Snug.Models
import Snug.Parts

// What is being fetched, what waits, what went wrong and what has arrived.
ScreenPage {
    id: root

    required property DownloadsModel model

    TitleText {
        text: qsTr("Downloads")
    }
    Repeater {
        model: root.model.rows

        DownloadCard {
            downloads: root.model
            Layout.fillWidth: true
        }
    }
    EmptyState {
        objectName: "downloadsEmpty"
        visible: root.model.isEmpty
        iconName: "hard-drive-download"
        title: qsTr("Nothing is being downloaded")
        text: qsTr("Models that you get show up here. A download goes on where it stopped, even after the computer was switched off.")
        primaryText: qsTr("Find a model")
        onPrimary: root.model.findModels()
        Layout.fillWidth: true
    }
}
