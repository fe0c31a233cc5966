import QtQuick
import QtQuick.Controls.Basic
import QtQuick.Layouts
import Snug.Style

// A line with a chevron that folds its content out.
ColumnLayout {
    id: root

    required property string text
    property bool open: false
    default property alias content: body.data

    spacing: Theme.spaceXs

    AbstractButton {
        id: head
        Layout.fillWidth: true
        implicitHeight: Theme.hitHeight
        implicitWidth: line.implicitWidth + Theme.spaceS
        text: root.text
        focusPolicy: Qt.StrongFocus
        hoverEnabled: true
        onClicked: root.open = !root.open
        Accessible.role: Accessible.Button
        Accessible.name: text
        Accessible.description: root.open ? qsTr("shown") : qsTr("folded")

        Keys.onReturnPressed: head.click()
        Keys.onEnterPressed: head.click()

        contentItem: Item {
            Row {
                id: line
                anchors.verticalCenter: parent.verticalCenter
                spacing: Theme.spaceS

                TintedIcon {
                    name: root.open ? "chevron-down" : "chevron-right"
                    size: 16
                    color: Theme.quiet
                    anchors.verticalCenter: parent.verticalCenter
                }
                Label {
                    text: head.text
                    textFormat: Text.PlainText
                    color: head.hovered ? Theme.text : Theme.quiet
                    font.pixelSize: Theme.smallSize
                    anchors.verticalCenter: parent.verticalCenter
                    Accessible.ignored: true
                }
            }
        }
        background: Item {
            FocusRing {
                shown: head.visualFocus
                gap: 0
            }
        }
    }
    ColumnLayout {
        id: body
        visible: root.open
        spacing: Theme.spaceS
        Layout.fillWidth: true
        Layout.leftMargin: 24
    }
}
