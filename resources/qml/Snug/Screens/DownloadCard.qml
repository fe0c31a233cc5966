pragma ComponentBehavior: Bound
import QtQuick
import QtQuick.Layouts
import Snug.Models
import Snug.Style
import Snug.Parts

// One download: what it is doing, how far it is, and the one button that helps.
Card {
    id: root

    required property DownloadsModel downloads
    required property int downloadId
    required property string title
    required property string phase
    required property string line
    required property real fraction
    required property string iconId
    required property bool canPause
    required property bool canResume
    required property string resumeText
    required property bool canChat
    required property string pageAddress
    required property bool wantsSettings
    required property bool canFindAnother
    required property string firstStep
    required property string details
    readonly property bool failed: phase === "failed"

    objectName: "download" + downloadId
    Accessible.role: Accessible.Grouping
    Accessible.name: title + ". " + line

    contentItem: ColumnLayout {
        spacing: Theme.spaceM

        RowLayout {
            spacing: Theme.spaceL

            TintedIcon {
                name: root.iconId
                size: 22
                color: root.failed ? Theme.tight : root.phase === "done" ? Theme.good : Theme.text
                Layout.alignment: Qt.AlignTop
                Layout.topMargin: 4
            }
            ColumnLayout {
                spacing: 2
                Layout.fillWidth: true

                StrongText {
                    text: root.title
                    Layout.fillWidth: true
                }
                SmallText {
                    objectName: "downloadLine"
                    text: root.line
                    wrapMode: Text.Wrap
                    maximumLineCount: 4
                    Layout.fillWidth: true
                }
            }
            QuietButton {
                objectName: "pause"
                visible: root.canPause
                text: qsTr("Pause")
                iconName: "pause"
                onClicked: root.downloads.pause(root.downloadId)
            }
            QuietButton {
                objectName: "resume"
                visible: root.canResume
                filled: root.firstStep === "resume"
                text: root.resumeText
                onClicked: root.downloads.resume(root.downloadId)
            }
            QuietButton {
                objectName: "chat"
                visible: root.canChat
                text: qsTr("Chat")
                onClicked: root.downloads.chat(root.downloadId)
            }
            IconButton {
                objectName: "discard"
                iconName: "x"
                label: root.phase === "done" ? qsTr("Take %1 off this list").arg(root.title) : qsTr("Cancel %1").arg(root.title)
                outlined: true
                onClicked: root.phase === "done" ? root.downloads.discard(root.downloadId) : ask.open()
            }
        }
        RowLayout {
            visible: root.pageAddress !== "" || root.wantsSettings || root.canFindAnother
            spacing: Theme.spaceS
            Layout.leftMargin: 38

            QuietButton {
                objectName: "openPage"
                visible: root.pageAddress !== ""
                filled: root.firstStep === "page"
                text: qsTr("Open its page…")
                iconName: "external-link"
                onClicked: askPage.open()
            }
            QuietButton {
                objectName: "openSettings"
                visible: root.wantsSettings
                filled: root.firstStep === "settings"
                text: qsTr("Open Settings")
                iconName: "settings"
                onClicked: root.downloads.openSettings()
            }
            QuietButton {
                objectName: "findAnother"
                visible: root.canFindAnother
                filled: root.firstStep === "find"
                text: qsTr("Find another")
                iconName: "search"
                onClicked: root.downloads.findAnother(root.downloadId)
            }
        }
        ProgressLine {
            visible: root.phase !== "done"
            value: root.fraction
            kind: root.failed ? "tight" : "good"
            label: root.title
            Layout.fillWidth: true
        }
    }

    AskDialog {
        id: askPage
        objectName: "pageAsk"
        title: qsTr("Open this page in your browser?")
        text: root.pageAddress
        confirmText: qsTr("Open")
        onAccepted: Qt.openUrlExternally(root.pageAddress)
    }
    AskDialog {
        id: ask
        objectName: "discardAsk"
        title: qsTr("Cancel this download?")
        text: qsTr("What has arrived of %1 is removed. Use Pause to keep it.").arg(root.title)
        confirmText: qsTr("Cancel download")
        cancelText: qsTr("Keep it")
        danger: true
        onAccepted: root.downloads.discard(root.downloadId)
    }
}
