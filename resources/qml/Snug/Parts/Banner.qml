import QtQuick
import QtQuick.Layouts
import Snug.Style

// A calm notice across the top of the window, until it is read.
Rectangle {
    id: root

    required property string title
    property string text: ""
    property string iconName: "info"
    property string actionText: ""
    signal action
    signal dismissed

    implicitHeight: line.implicitHeight + 2 * Theme.spaceS
    color: Theme.accentSoft
    Accessible.role: Accessible.AlertMessage
    Accessible.name: title + " " + text

    RowLayout {
        id: line
        anchors.fill: parent
        anchors.leftMargin: Theme.spaceXl
        anchors.rightMargin: Theme.spaceS
        anchors.topMargin: Theme.spaceS
        anchors.bottomMargin: Theme.spaceS
        spacing: Theme.spaceM

        TintedIcon {
            name: root.iconName
            size: 20
            color: Theme.accent
            Layout.alignment: Qt.AlignTop
            Layout.topMargin: 10
        }
        ColumnLayout {
            spacing: 0
            Layout.fillWidth: true

            StrongText {
                text: root.title
                font.pixelSize: Theme.smallSize
                wrapMode: Text.Wrap
                Layout.fillWidth: true
            }
            SmallText {
                visible: root.text !== ""
                text: root.text
                wrapMode: Text.Wrap
                Layout.fillWidth: true
            }
        }
        LinkButton {
            visible: root.actionText !== ""
            text: root.actionText
            onClicked: root.action()
        }
        IconButton {
            objectName: "bannerDismiss"
            iconName: "x"
            label: qsTr("Dismiss")
            onClicked: root.dismissed()
        }
    }
}
