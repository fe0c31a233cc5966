import QtQuick
import QtQuick.Layouts
import Snug.Style

// What happened, what was kept, and one button that mends it, at most a second beside it; the technical text is folded away.
Card {
    id: root

    required property string title
    property string text: ""
    property string actionText: ""
    property string secondText: ""
    property string details: ""
    property string kind: "bad"
    property string iconName: kind === "tight" ? "triangle-alert" : kind === "quiet" ? "info" : "circle-alert"
    signal action
    signal second
    signal copyDetails(string text)

    contentItem: RowLayout {
        spacing: Theme.spaceM

        TintedIcon {
            name: root.iconName
            size: 22
            color: root.kind === "tight" ? Theme.tight : root.kind === "quiet" ? Theme.quiet : Theme.bad
            Layout.alignment: Qt.AlignTop
        }
        ColumnLayout {
            spacing: Theme.spaceXs
            Layout.fillWidth: true

            StrongText {
                text: root.title
                wrapMode: Text.Wrap
                Layout.fillWidth: true
            }
            SmallText {
                visible: root.text !== ""
                text: root.text
                wrapMode: Text.Wrap
                Layout.fillWidth: true
            }
            RowLayout {
                visible: root.actionText !== ""
                Layout.topMargin: Theme.spaceS
                spacing: Theme.spaceS

                PrimaryButton {
                    objectName: root.objectName + "Action"
                    text: root.actionText
                    onClicked: root.action()
                }
                QuietButton {
                    objectName: root.objectName + "Second"
                    visible: root.secondText !== ""
                    text: root.secondText
                    onClicked: root.second()
                }
            }
            Fold {
                visible: root.details !== ""
                text: qsTr("Details")
                Layout.fillWidth: true

                SmallText {
                    text: root.details
                    font.family: Theme.codeFamily
                    wrapMode: Text.WrapAnywhere
                    maximumLineCount: 40
                    Layout.fillWidth: true
                }
                LinkButton {
                    text: qsTr("Copy")
                    iconName: "copy"
                    onClicked: root.copyDetails(root.details)
                }
            }
        }
    }
}
