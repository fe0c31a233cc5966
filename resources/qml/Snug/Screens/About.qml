pragma ComponentBehavior: Bound
import QtQuick
import QtQuick.Layouts
import Snug.Models
import Snug.Style
import Snug.Parts

// Which Snug this is, where its data are, and the licences of what it is made of.
ColumnLayout {
    id: root

    required property SettingsModel model

    spacing: Theme.spaceS

    HeadingText {
        text: qsTr("About")
    }
    Card {
        Layout.fillWidth: true

        contentItem: ColumnLayout {
            spacing: Theme.spaceS

            StrongText {
                text: qsTr("Snug %1").arg(root.model.version)
            }
            SmallText {
                text: qsTr("Everything stays on this computer: chats, models and settings. Snug sends nothing about you to anyone; it connects only to Hugging Face, when you search or get a model.")
                wrapMode: Text.Wrap
                lineHeight: 1.15
                Layout.fillWidth: true
            }
            RowLayout {
                spacing: Theme.spaceS
                Layout.fillWidth: true

                SmallText {
                    objectName: "dataFolder"
                    text: qsTr("Your data: %1").arg(root.model.dataFolder)
                    elide: Text.ElideMiddle
                    Layout.fillWidth: true
                }
                LinkButton {
                    text: qsTr("Open the folder")
                    iconName: "folder-open"
                    onClicked: root.model.openDataFolder()
                }
            }
            Fold {
                objectName: "licences"
                text: qsTr("Licences of what Snug is made of")
                onOpenChanged: root.model.readLicences()
                Layout.fillWidth: true

                Repeater {
                    model: root.model.licences

                    Fold {
                        id: licence
                        required property string name
                        required property string modelText
                        text: name
                        Layout.fillWidth: true

                        SmallText {
                            text: licence.modelText
                            font.family: Theme.codeFamily
                            font.pixelSize: Theme.captionSize
                            wrapMode: Text.Wrap
                            Layout.fillWidth: true
                        }
                    }
                }
            }
        }
    }
}
