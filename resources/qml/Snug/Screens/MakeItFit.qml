pragma ComponentBehavior: Bound
import QtQuick
import QtQuick.Dialogs
import QtQuick.Layouts
import Snug.Models
import Snug.Style
import Snug.Parts

// A model's page, a folder or a file becomes a file that this computer can run.
ScreenPage {
    id: root

    required property MakeItFitModel model
    readonly property bool isWide: width >= 960 * Theme.roomScale

    Component.onCompleted: root.model.fill()

    ColumnLayout {
        spacing: 2
        Layout.fillWidth: true

        TitleText {
            text: qsTr("Make it fit")
            Layout.fillWidth: true
        }
        BodyText {
            text: qsTr("Turn any model into a file that this computer can run.")
            color: Theme.quiet
            wrapMode: Text.Wrap
            Layout.fillWidth: true
        }
    }
    Flow {
        enabled: root.model.phase !== "working"
        spacing: Theme.spaceS
        Layout.fillWidth: true

        TextEntry {
            id: entry
            objectName: "fitSource"
            width: root.isWide ? parent.width - folderButton.width - fileChoice.width - 2 * parent.spacing : parent.width
            label: qsTr("Address of a model, or a folder")
            iconName: "link"
            placeholderText: qsTr("Paste the address of a model's page")
            text: root.model.sourceText
            onTextEdited: root.model.write(text)
            onTextChanged: text === "" && root.model.write("")
            onAccepted: root.model.look()
        }
        QuietButton {
            id: folderButton
            objectName: "fitFolder"
            text: qsTr("Pick a folder…")
            iconName: "folder-open"
            onClicked: folderDialog.open()
        }
        Choice {
            id: fileChoice
            objectName: "fitOwnModel"
            label: qsTr("A model of the Library")
            visible: root.model.ownModels.length > 0
            width: Math.round(190 * Theme.textScale)
            listWidth: 340
            model: root.model.ownModels
            textRole: "text"
            currentIndex: -1
            displayText: qsTr("From the Library")
            onActivated: index => {
                root.model.pickModel(root.model.ownModels[index].id);
                currentIndex = -1;
            }
        }
    }
    RowLayout {
        visible: root.model.sentence !== "" && root.model.phase !== "done"
        spacing: Theme.spaceS
        Layout.fillWidth: true

        TintedIcon {
            name: root.model.phase === "looking" ? "clock" : "circle-check"
            size: 18
            color: root.model.phase === "looking" ? Theme.quiet : Theme.good
            Layout.alignment: Qt.AlignTop
        }
        SmallText {
            objectName: "fitSentence"
            text: root.model.sentence
            wrapMode: Text.Wrap
            Layout.fillWidth: true
        }
    }
    Repeater {
        model: root.model.phase === "done" ? [] : root.model.warnings

        RowLayout {
            id: warning
            required property string modelData
            spacing: Theme.spaceS
            Layout.fillWidth: true

            TintedIcon {
                name: "triangle-alert"
                size: 18
                color: Theme.tight
                Layout.alignment: Qt.AlignTop
            }
            SmallText {
                objectName: "fitWarning"
                text: warning.modelData
                wrapMode: Text.Wrap
                Layout.fillWidth: true
            }
        }
    }
    Repeater {
        model: root.model.phase === "done" ? [] : root.model.notes

        RowLayout {
            id: note
            required property string modelData
            spacing: Theme.spaceS
            Layout.fillWidth: true

            TintedIcon {
                name: "info"
                size: 18
                color: Theme.quiet
                Layout.alignment: Qt.AlignTop
            }
            SmallText {
                text: note.modelData
                wrapMode: Text.Wrap
                Layout.fillWidth: true
            }
        }
    }
    RowLayout {
        visible: root.model.finishedText !== "" && root.model.phase === "ready"
        spacing: Theme.spaceS
        Layout.fillWidth: true

        TintedIcon {
            name: "lightbulb"
            size: 18
            color: Theme.quiet
        }
        SmallText {
            objectName: "fitFinished"
            text: root.model.finishedText
            wrapMode: Text.Wrap
            Layout.fillWidth: true
            Layout.maximumWidth: implicitWidth + 1
        }
        LinkButton {
            objectName: "fitShowFinished"
            text: qsTr("Show them")
            onClicked: root.model.showFinished()
        }
    }
    ErrorCard {
        objectName: "fitProblem"
        visible: root.model.problem.title !== ""
        title: root.model.problem.title
        text: root.model.problem.advice
        details: root.model.problem.details
        readonly property bool wantsPage: root.model.problem.pageAddress !== "" // before anything else can help
        actionText: wantsPage ? qsTr("Open its page…") : root.model.problem.action
        secondText: wantsPage ? root.model.problem.action : ""
        onAction: wantsPage ? pageAsk.open() : root.model.problem.mend()
        onSecond: root.model.problem.mend()
        Layout.fillWidth: true
    }
    EmptyState {
        objectName: "fitEmpty"
        visible: root.model.phase === "empty" && root.model.problem.title === ""
        iconName: "shrink"
        title: qsTr("Which model should fit?")
        text: qsTr("Paste the address of any model on Hugging Face, or pick a folder or a model that you have. Snug says what it is and how small it can be, and makes the file here, on this computer.")
        primaryText: qsTr("Find a model")
        onPrimary: root.model.searchRequested("")
        Layout.fillWidth: true
    }
    FitResult {
        visible: root.model.phase === "done"
        result: root.model.result
        onAnother: root.model.another()
        Layout.fillWidth: true
    }
    FitProgress {
        visible: root.model.phase === "working"
        model: root.model
        Layout.fillWidth: true
    }
    GridLayout {
        visible: root.model.phase === "ready"
        columns: root.isWide ? 2 : 1
        columnSpacing: Theme.spaceL
        rowSpacing: Theme.spaceL
        Layout.fillWidth: true

        FitSize {
            size: root.model.size
            Layout.fillWidth: true
            Layout.fillHeight: true
            Layout.preferredWidth: 3
        }
        FitFigures {
            model: root.model
            Layout.fillWidth: true
            Layout.fillHeight: true
            Layout.preferredWidth: 2
            onTextWanted: textDialog.open()
        }
    }

    FolderDialog {
        id: folderDialog
        title: qsTr("Pick the folder of a model")
        onAccepted: root.model.pick(selectedFolder.toString())
    }
    FileDialog {
        id: textDialog
        title: qsTr("Pick a text that is like what you will write")
        nameFilters: [qsTr("Texts (*.txt *.md)"), qsTr("All files (*)")]
        onAccepted: root.model.size.useText(selectedFile.toString())
    }
    AskDialog {
        id: pageAsk
        objectName: "fitPageAsk"
        title: qsTr("Open this page in your browser?")
        text: root.model.problem.pageAddress
        confirmText: qsTr("Open")
        onAccepted: Qt.openUrlExternally(root.model.problem.pageAddress)
    }
    DropArea {
        parent: root
        anchors.fill: parent
        enabled: root.model.phase !== "working"
        onDropped: drop => {
            if (drop.hasUrls)
                root.model.pick(drop.urls[0].toString());
            else if (drop.hasText)
                root.model.pick(drop.text);
        }
    }
}
