pragma ComponentBehavior: Bound
import QtQuick
import QtQuick.Layouts
import Snug.Models
import Snug.Style
import Snug.Parts

// One recommended model: what it is, whether it fits, how fast, how large, why, and the button that gets it.
Card {
    id: root

    required property int index
    required property string key
    required property string name
    required property string by
    required property string verdictKind
    required property string verdictText
    required property string speed
    required property string download
    required property string why
    required property bool isHere
    required property string change
    property QtObject getting: null
    property bool isNarrow: false
    readonly property bool isFirst: index === 0
    readonly property bool isBusy: getting instanceof Getting && (getting as Getting).busyKey === key
    signal wanted(string key)

    accented: isFirst
    objectName: "pick" + index
    padding: isNarrow ? 16 : 21
    implicitWidth: 240
    Accessible.role: Accessible.Grouping
    Accessible.name: name
    Accessible.description: change

    // In a small window the button stands above the reason, so that it is seen without scrolling.
    contentItem: GridLayout {
        columns: 1
        rowSpacing: 0

        HeadingText {
            text: root.name
            fontSizeMode: Text.HorizontalFit
            minimumPixelSize: Theme.bodySize
            Layout.fillWidth: true
            Layout.preferredHeight: 26 * Theme.textScale
            Layout.row: 0
        }
        SmallText {
            text: root.by
            wrapMode: Text.Wrap
            maximumLineCount: root.isNarrow ? 1 : 3
            Layout.fillWidth: true
            Layout.topMargin: 3
            Layout.row: 1
        }
        Badge {
            kind: root.verdictKind
            text: root.verdictText
            Layout.topMargin: 12
            Layout.row: 2
        }
        RowLayout {
            spacing: 9
            Layout.topMargin: 12
            Layout.row: 3

            TintedIcon {
                name: "gauge"
                size: 17
            }
            BodyText {
                text: root.speed
                wrapMode: Text.Wrap
                Layout.fillWidth: true
            }
        }
        RowLayout {
            spacing: 9
            Layout.topMargin: 6
            Layout.row: 4

            TintedIcon {
                name: "hard-drive-download"
                size: 17
                color: Theme.quiet
            }
            BodyText {
                text: root.download
                wrapMode: Text.Wrap
                color: Theme.quiet
                Layout.fillWidth: true
            }
        }
        SmallText {
            text: root.why
            wrapMode: Text.Wrap
            lineHeight: 1.15
            Layout.fillWidth: true
            Layout.topMargin: 14
            Layout.row: root.isNarrow ? 6 : 5
        }
        CaptionText {
            objectName: "pickChange" + root.index
            visible: root.change !== ""
            text: root.change
            wrapMode: Text.Wrap
            Layout.fillWidth: true
            Layout.topMargin: 6
            Layout.row: root.isNarrow ? 7 : 6
        }
        Item {
            Layout.fillHeight: true
            Layout.minimumHeight: root.isNarrow ? 0 : 12
            Layout.row: root.isNarrow ? 8 : 7
        }
        ColumnLayout {
            spacing: 0
            Layout.fillWidth: true
            Layout.topMargin: root.isNarrow ? 14 : 0
            Layout.row: root.isNarrow ? 5 : 8

            PrimaryButton {
                objectName: root.isFirst ? "getAndChat0" : ""
                visible: root.isFirst
                tall: true
                enabled: !root.isBusy
                text: root.isBusy ? qsTr("Looking for it…") : root.isHere ? qsTr("Chat") : qsTr("Get and chat")
                Accessible.description: root.name
                Layout.fillWidth: true
                onClicked: root.wanted(root.key)
            }
            QuietButton {
                objectName: root.isFirst ? "" : "getAndChat" + root.index
                visible: !root.isFirst
                tall: true
                enabled: !root.isBusy
                text: root.isBusy ? qsTr("Looking for it…") : root.isHere ? qsTr("Chat") : qsTr("Get and chat")
                Accessible.description: root.name
                Layout.fillWidth: true
                onClicked: root.wanted(root.key)
            }
        }
    }
}
