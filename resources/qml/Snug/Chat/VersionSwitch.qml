import QtQuick
import Snug.Parts

// "2 of 2" with an arrow to each side: the versions of one message.
Row {
    id: root

    required property string words
    required property bool canGoBack
    required property bool canGoForward
    signal stepAsked(int step)

    visible: words !== ""

    IconButton {
        objectName: "versionBefore"
        iconName: "chevron-left"
        iconSize: 16
        width: 32
        enabled: root.canGoBack
        label: qsTr("The version before")
        onClicked: root.stepAsked(-1)
    }
    SmallText {
        height: parent.height
        verticalAlignment: Text.AlignVCenter
        text: root.words
    }
    IconButton {
        objectName: "versionAfter"
        iconName: "chevron-right"
        iconSize: 16
        width: 32
        enabled: root.canGoForward
        label: qsTr("The version after")
        onClicked: root.stepAsked(1)
    }
}
