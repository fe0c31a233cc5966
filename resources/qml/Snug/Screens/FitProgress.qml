pragma ComponentBehavior: Bound
import QtQuick
import QtQuick.Layouts
import Snug.Models
import Snug.Style
import Snug.Parts

// A file is being made: how far it is, how long it takes yet, and the way to stop.
Card {
    id: root

    required property MakeItFitModel model

    contentItem: ColumnLayout {
        spacing: Theme.spaceM

        HeadingText {
            objectName: "fitWorkingTitle"
            text: root.model.workingTitle
            wrapMode: Text.Wrap
            Layout.fillWidth: true
        }
        ProgressLine {
            objectName: "fitProgress"
            value: root.model.fraction
            label: root.model.progressText
            Layout.fillWidth: true
        }
        RowLayout {
            Layout.fillWidth: true

            SmallText {
                objectName: "fitProgressText"
                text: root.model.progressText
                wrapMode: Text.Wrap
                Layout.fillWidth: true
            }
            QuietButton {
                objectName: "stopMaking"
                text: qsTr("Stop")
                enabled: !root.model.isStopping
                onClicked: root.model.stopMaking()
            }
        }
        CaptionText {
            text: qsTr("You can go on using Snug. Stopping, or closing the window, keeps what is done: “Go on” continues it.")
            wrapMode: Text.Wrap
            Layout.fillWidth: true
        }
    }
}
