import QtQuick
import QtQuick.Controls.Basic
import Snug.Style

// On or off. The knob's place and a tick tell the state, not the colour alone.
AbstractButton {
    id: root

    required property string label

    checkable: true
    implicitWidth: 48
    implicitHeight: Theme.hitHeight
    focusPolicy: Qt.StrongFocus
    hoverEnabled: true
    opacity: enabled ? 1 : 0.45
    Accessible.role: Accessible.CheckBox
    Accessible.name: label
    Accessible.checkable: true
    Accessible.checked: checked

    Keys.onReturnPressed: root.click()
    Keys.onEnterPressed: root.click()

    contentItem: Item {
        Rectangle {
            id: track
            anchors.centerIn: parent
            width: 44
            height: 24
            radius: 12
            color: root.checked ? Theme.accent : Theme.barOther

            FocusRing {
                shown: root.visualFocus
                radius: height / 2
            }
            Rectangle {
                x: root.checked ? parent.width - width - 3 : 3
                anchors.verticalCenter: parent.verticalCenter
                width: 18
                height: 18
                radius: 9
                color: Theme.surface

                Behavior on x {
                    NumberAnimation {
                        duration: Theme.motion
                        easing.type: Easing.OutCubic
                    }
                }
                TintedIcon {
                    anchors.centerIn: parent
                    visible: root.checked
                    name: "check"
                    size: 12
                    color: Theme.accent
                }
            }
        }
    }
}
