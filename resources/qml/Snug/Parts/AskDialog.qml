import QtQuick
import QtQuick.Controls.Basic
import QtQuick.Layouts
import Snug.Style

// A question in front of the window: words, room for more, and two buttons. Escape is the second.
Dialog {
    id: root

    property string text: ""
    property string confirmText: qsTr("OK")
    property string cancelText: qsTr("Cancel")
    property bool danger: false
    property bool canConfirm: true
    default property alias content: extra.data

    parent: Overlay.overlay
    modal: true
    anchors.centerIn: parent
    width: Math.min(480, (parent ? parent.width : 480) - 2 * Theme.spaceXl)
    padding: Theme.spaceXl
    topPadding: Theme.spaceS
    closePolicy: Popup.CloseOnEscape
    focus: true
    onOpened: confirm.visible && !danger ? confirm.forceActiveFocus() : cancel.forceActiveFocus()

    background: Rectangle {
        radius: Theme.cardRadius
        color: Theme.surface
        border.width: 1
        border.color: Theme.line
    }
    Overlay.modal: Rectangle {
        color: "#66000000"
    }
    header: HeadingText {
        text: root.title
        leftPadding: Theme.spaceXl
        rightPadding: Theme.spaceXl
        topPadding: Theme.spaceXl
        wrapMode: Text.Wrap
    }
    contentItem: ColumnLayout {
        spacing: Theme.spaceL

        BodyText {
            visible: root.text !== ""
            text: root.text
            wrapMode: Text.Wrap
            lineHeight: 1.3
            Layout.fillWidth: true
        }
        ColumnLayout {
            id: extra
            visible: children.length > 0
            spacing: Theme.spaceS
            Layout.fillWidth: true
        }
    }
    footer: Item {
        implicitHeight: 40 + Theme.spaceXl

        RowLayout {
            anchors.right: parent.right
            anchors.rightMargin: Theme.spaceXl
            spacing: Theme.spaceS

            QuietButton {
                id: cancel
                objectName: root.objectName + "Cancel"
                visible: text !== ""
                text: root.cancelText
                onClicked: root.reject()
            }
            QuietButton {
                objectName: root.objectName + "Danger"
                visible: root.danger
                enabled: root.canConfirm
                danger: true
                text: root.confirmText
                onClicked: root.accept()
            }
            PrimaryButton {
                id: confirm
                objectName: root.objectName + "Confirm"
                visible: !root.danger && text !== ""
                enabled: root.canConfirm
                text: root.confirmText
                onClicked: root.accept()
            }
        }
    }
}
