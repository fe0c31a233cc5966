import QtQuick
import QtQuick.Layouts
import Snug.Models
import Snug.Style
import Snug.Parts

// One calm line while the computer's speed is measured; gone when that is done.
RowLayout {
    id: root

    property QtObject test: null
    readonly property SpeedTestModel source: test as SpeedTestModel

    visible: source !== null && source.isRunning
    spacing: Theme.spaceS

    TintedIcon {
        name: "gauge"
        color: Theme.quiet
        size: 16
        Layout.leftMargin: Theme.spaceXs
    }
    SmallText {
        objectName: "speedTestLine"
        text: root.source !== null ? root.source.text : ""
        color: Theme.quiet
        Accessible.role: Accessible.StatusBar
        Accessible.name: text
    }
    LinkButton {
        objectName: "skipSpeedTest"
        text: qsTr("Skip")
        Accessible.description: qsTr("Snug measures this computer's speed at the next start instead")
        onClicked: root.source.skip()
    }
    Item {
        Layout.fillWidth: true
    }
}
