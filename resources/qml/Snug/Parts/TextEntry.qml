import QtQuick
import QtQuick.Controls.Basic
import Snug.Style

// One line of text to write, with an optional icon before it and a cross that clears it. `label` is its spoken name.
TextField {
    id: root

    required property string label
    property string iconName: ""
    property bool clearable: true

    implicitHeight: Theme.hitHeight
    leftPadding: iconName === "" ? Theme.spaceM : 40
    rightPadding: clear.visible ? 40 : Theme.spaceM
    color: Theme.text
    placeholderTextColor: Theme.quiet
    selectionColor: Theme.accent
    selectedTextColor: Theme.inkOnAccent
    font.pixelSize: Theme.bodySize
    verticalAlignment: TextInput.AlignVCenter
    selectByMouse: true
    Accessible.role: Accessible.EditableText
    Accessible.name: label
    Accessible.description: echoMode === TextInput.Password ? label : "" // Qt hides the name of a password field

    Keys.onEscapePressed: event => {
        event.accepted = root.clearable && root.text !== "";
        if (event.accepted)
            root.clear();
    }

    background: Rectangle {
        radius: Theme.controlRadius
        color: Theme.surface
        border.width: root.activeFocus ? 2 : 1
        border.color: root.activeFocus ? Theme.focus : Theme.line
    }

    TintedIcon {
        name: root.iconName
        visible: root.iconName !== ""
        size: 18
        color: Theme.quiet
        anchors.verticalCenter: parent.verticalCenter
        x: 13
    }
    IconButton {
        id: clear
        visible: root.clearable && root.text !== "" && !root.readOnly
        iconName: "x"
        iconSize: 16
        label: qsTr("Clear")
        anchors.right: parent.right
        anchors.verticalCenter: parent.verticalCenter
        onClicked: {
            root.clear();
            root.forceActiveFocus();
        }
    }
}
