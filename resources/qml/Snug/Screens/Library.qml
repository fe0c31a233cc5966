pragma ComponentBehavior: Bound
import QtQuick
import QtQuick.Dialogs
import QtQuick.Layouts
import Snug.Models
import Snug.Style
import Snug.Parts

// Every model that is here, and the ways to add one.
ScreenPage {
    id: root

    required property LibraryModelView model

    Component.onCompleted: root.model.refresh()
    onVisibleChanged: visible && root.model.refresh()

    RowLayout {
        spacing: Theme.spaceS

        TitleText {
            text: qsTr("Library")
            Layout.fillWidth: true
        }
        QuietButton {
            objectName: "scan"
            text: qsTr("Find on this computer")
            iconName: "search"
            enabled: root.model.statusText === ""
            onClicked: root.model.scan()
        }
        QuietButton {
            objectName: "addFile"
            text: qsTr("Add a file…")
            iconName: "plus"
            enabled: root.model.statusText === ""
            onClicked: fileDialog.open()
        }
    }
    Card {
        objectName: "libraryStatus"
        visible: root.model.statusText !== ""
        Layout.fillWidth: true

        contentItem: ColumnLayout {
            spacing: Theme.spaceS

            SmallText {
                text: root.model.statusText
                Layout.fillWidth: true
            }
            ProgressLine {
                visible: root.model.statusFraction >= 0
                value: Math.max(0, root.model.statusFraction)
                label: root.model.statusText
                Layout.fillWidth: true
            }
        }
    }
    ErrorCard {
        objectName: "libraryProblem"
        visible: root.model.problemTitle !== ""
        title: root.model.problemTitle
        text: root.model.problemAdvice
        actionText: qsTr("All right")
        onAction: root.model.dismiss()
        Layout.fillWidth: true
    }
    Card {
        objectName: "libraryFound"
        visible: root.model.foundText !== ""
        accented: true
        Layout.fillWidth: true

        contentItem: RowLayout {
            spacing: Theme.spaceL

            BodyText {
                text: root.model.foundText
                wrapMode: Text.Wrap
                Layout.fillWidth: true
            }
            PrimaryButton {
                objectName: "addFound"
                text: qsTr("Use them")
                onClicked: root.model.addFound()
            }
        }
    }
    EmptyState {
        objectName: "libraryEmpty"
        visible: root.model.isEmpty
        iconName: "library"
        title: qsTr("Your library is nearly empty")
        text: qsTr("Models that you get or add show up here. Models of LM Studio, Ollama, Jan, GPT4All and others can be used where they are.")
        primaryText: qsTr("Find a model")
        secondaryText: qsTr("Look for models of other programs")
        onPrimary: root.model.findModels()
        onSecondary: root.model.scan()
        Layout.fillWidth: true
    }
    Repeater {
        model: root.model.rows

        LibraryCard {
            library: root.model
            onFindAsked: {
                findDialog.modelId = modelId;
                findDialog.open();
            }
            Layout.fillWidth: true
        }
    }

    FileDialog {
        id: fileDialog
        title: qsTr("Add a model file")
        nameFilters: [qsTr("Model files (*.gguf)"), qsTr("All files (*)")]
        onAccepted: root.model.addFile(selectedFile.toString())
    }
    FileDialog {
        id: findDialog
        property int modelId: 0
        title: qsTr("Where is this model now?")
        nameFilters: fileDialog.nameFilters
        onAccepted: root.model.find(modelId, selectedFile.toString())
    }
    DropArea {
        parent: root
        anchors.fill: parent
        onDropped: drop => {
            if (drop.hasUrls)
                root.model.addFile(drop.urls[0].toString());
        }
    }
}
