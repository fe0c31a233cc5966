pragma ComponentBehavior: Bound
import QtQuick
import QtQuick.Controls.Basic
import QtQuick.Layouts
import Snug.Models
import Snug.Style
import Snug.Parts

// Settings: searched by words, applied at once, each with its way back.
ScreenPage {
    id: root

    required property SettingsModel model

    maximumWidth: 820
    spacing: 0

    RowLayout {
        Layout.fillWidth: true
        spacing: Theme.spaceXl

        TitleText {
            text: qsTr("Settings")
            Layout.fillWidth: true
        }
        TextEntry {
            objectName: "settingsSearch"
            label: qsTr("Search settings")
            placeholderText: qsTr("Search settings")
            iconName: "search"
            Layout.preferredWidth: 280
            onTextChanged: root.model.search(text)
        }
    }
    Repeater {
        model: root.model.rows

        SettingRow {
            Layout.fillWidth: true
            onEdited: (key, value) => root.model.change(key, value)
            onWantsReset: key => root.model.reset(key)
            onFolderChosen: (key, folder) => root.model.chooseFolder(key, folder)
        }
    }
    EmptyState {
        visible: root.model.isEmpty
        iconName: "search"
        title: qsTr("No setting has these words")
        text: qsTr("Try a shorter word, or clear the search.")
        Layout.fillWidth: true
        Layout.topMargin: Theme.spaceXl
    }
    About {
        visible: !root.model.isSearching
        model: root.model
        Layout.fillWidth: true
        Layout.topMargin: 32
    }
}
