import QtQuick
import QtQuick.Layouts
import Snug.Style

// What will be here, and the first step towards it.
Card {
    id: root

    required property string iconName
    required property string title
    property string text: ""
    property string primaryText: ""
    property string secondaryText: ""
    signal primary
    signal secondary

    padding: 28

    contentItem: ColumnLayout {
        spacing: Theme.spaceM

        TintedIcon {
            name: root.iconName
            size: 28
            color: Theme.accent
            Layout.alignment: Qt.AlignHCenter
        }
        StrongText {
            text: root.title
            Layout.alignment: Qt.AlignHCenter
            Layout.maximumWidth: root.availableWidth
            wrapMode: Text.Wrap
            horizontalAlignment: Text.AlignHCenter
        }
        SmallText {
            visible: root.text !== ""
            text: root.text
            wrapMode: Text.Wrap
            horizontalAlignment: Text.AlignHCenter
            Layout.alignment: Qt.AlignHCenter
            Layout.maximumWidth: Math.min(640, root.availableWidth)
        }
        RowLayout {
            visible: root.primaryText !== "" || root.secondaryText !== ""
            Layout.alignment: Qt.AlignHCenter
            spacing: Theme.spaceS

            PrimaryButton {
                visible: root.primaryText !== ""
                text: root.primaryText
                objectName: root.objectName + "Primary"
                onClicked: root.primary()
            }
            QuietButton {
                visible: root.secondaryText !== ""
                text: root.secondaryText
                objectName: root.objectName + "Secondary"
                onClicked: root.secondary()
            }
        }
    }
}
