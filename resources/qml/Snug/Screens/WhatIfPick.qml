pragma ComponentBehavior: Bound
import QtQuick
import QtQuick.Layouts
import Snug.Style
import Snug.Parts

// One model that would be picked on another computer: how it does there, and how it does here.
Card {
    id: root

    required property int index
    required property string name
    required property string by
    required property string verdictKind
    required property string verdictText
    required property string speed
    required property string download
    required property string why
    required property string here
    required property string change

    objectName: "whatIfPick" + index
    padding: Theme.spaceL
    Accessible.role: Accessible.Grouping
    Accessible.name: name

    contentItem: ColumnLayout {
        spacing: Theme.spaceXs

        RowLayout {
            spacing: Theme.spaceM
            Layout.fillWidth: true

            HeadingText {
                text: root.name
                Layout.fillWidth: true
            }
            Badge {
                kind: root.verdictKind
                text: root.verdictText
            }
        }
        Flow {
            spacing: Theme.spaceM
            Layout.fillWidth: true

            BodyText {
                text: root.speed
            }
            BodyText {
                text: root.download
                color: Theme.quiet
            }
        }
        SmallText {
            text: root.why
            wrapMode: Text.Wrap
            lineHeight: 1.15
            Layout.fillWidth: true
            Layout.topMargin: Theme.spaceXs
        }
        SmallText {
            objectName: "whatIfChange" + root.index
            visible: root.change !== ""
            text: root.change
            wrapMode: Text.Wrap
            Layout.fillWidth: true
        }
        RowLayout {
            spacing: Theme.spaceXs
            Layout.fillWidth: true
            Layout.topMargin: Theme.spaceXs

            TintedIcon {
                name: "laptop"
                size: 15
                color: Theme.quiet
            }
            SmallText {
                text: root.here
                color: Theme.text
                Layout.fillWidth: true
            }
        }
    }
}
