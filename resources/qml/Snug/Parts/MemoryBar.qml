pragma ComponentBehavior: Bound
import QtQuick
import QtQuick.Controls.Basic
import QtQuick.Layouts
import Snug.Style

// One bar of memory. `segments` are {"kind", "share", "text"}: kind "other", "model", "conversation" or "free",
// share 0 to 1 of the bar, text its words ("Model 3.1 GB"). `limit` (0 to 1) draws the line that must not be crossed.
ColumnLayout {
    id: root

    property var segments: []
    property real limit: -1
    property bool legend: true
    property string words: ""
    property string spoken: words

    spacing: Theme.spaceS
    Accessible.role: Accessible.Graphic
    Accessible.name: spoken

    function colourOf(kind: string): color {
        return kind === "model" ? Theme.barModel : kind === "conversation" ? Theme.barConversation : kind === "other" ? Theme.barOther : Theme.barFree;
    }

    Item {
        Layout.fillWidth: true
        implicitHeight: 14

        Rectangle {
            id: track
            anchors.fill: parent
            radius: height / 2
            color: Theme.barFree
            clip: true
        }
        Row {
            anchors.fill: parent
            spacing: 2

            Repeater {
                model: root.segments

                Rectangle {
                    id: piece
                    required property var modelData
                    required property int index
                    readonly property real share: modelData.share

                    visible: modelData.kind !== "free" && share > 0
                    width: Math.max(2, share * track.width - 2)
                    height: parent ? parent.height : 0
                    color: root.colourOf(modelData.kind)
                    topLeftRadius: index === 0 ? height / 2 : 0
                    bottomLeftRadius: index === 0 ? height / 2 : 0
                    topRightRadius: share > 0.99 ? height / 2 : 0
                    bottomRightRadius: share > 0.99 ? height / 2 : 0

                    Behavior on width {
                        NumberAnimation {
                            duration: Theme.motion
                            easing.type: Easing.OutCubic
                        }
                    }
                }
            }
        }
        Rectangle {
            visible: root.limit >= 0 && root.limit <= 1
            x: root.limit * track.width - 1
            y: -4
            width: 2
            height: track.height + 8
            color: Theme.bad
        }
    }
    Flow {
        visible: root.legend
        Layout.fillWidth: true
        spacing: 10

        Repeater {
            model: root.legend ? root.segments : []

            Row {
                id: entry
                required property var modelData
                spacing: 5

                Rectangle {
                    width: 9
                    height: 9
                    radius: 3
                    anchors.verticalCenter: parent.verticalCenter
                    color: root.colourOf(entry.modelData.kind)
                    border.width: entry.modelData.kind === "free" ? 1 : 0
                    border.color: Theme.line
                }
                SmallText {
                    text: entry.modelData.text
                }
            }
        }
    }
    SmallText {
        visible: root.words !== ""
        text: root.words
        color: Theme.text
        wrapMode: Text.Wrap
        Layout.fillWidth: true
    }
}
