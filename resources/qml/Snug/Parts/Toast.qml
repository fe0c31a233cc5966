import QtQuick
import QtQuick.Controls.Basic
import Snug.Style

// A short word at the foot of the window that goes away by itself.
Rectangle {
    id: root

    property string text: ""
    property int stay: 6000
    readonly property bool shown: hideTimer.running

    function show(words: string): void {
        text = words;
        hideTimer.restart();
    }

    implicitWidth: Math.min(words.implicitWidth + 2 * Theme.spaceXl, 560)
    implicitHeight: words.implicitHeight + 2 * Theme.spaceM
    radius: Theme.cardRadius
    color: Theme.text
    opacity: shown ? 1 : 0
    visible: opacity > 0
    Accessible.role: Accessible.AlertMessage
    Accessible.name: text

    Behavior on opacity {
        NumberAnimation {
            duration: Theme.motion
        }
    }
    Label {
        id: words
        anchors.centerIn: parent
        width: Math.min(implicitWidth, 560 - 2 * Theme.spaceXl)
        text: root.text
        textFormat: Text.PlainText
        wrapMode: Text.Wrap
        color: Theme.window
        font.pixelSize: Theme.smallSize
        Accessible.ignored: true
    }
    Timer {
        id: hideTimer
        interval: root.stay
    }
}
