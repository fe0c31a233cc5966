pragma ComponentBehavior: Bound
import QtQuick
import QtQuick.Layouts
import Snug.Models
import Snug.Style
import Snug.Parts

// The places of the app: icon above word, with Ctrl+1 to Ctrl+7.
Item {
    id: root

    required property AppModel app

    width: 76
    Accessible.role: Accessible.PageTabList
    Accessible.name: qsTr("Places")

    component Place: RailButton {
        id: place
        required property string screen
        required property string keys
        objectName: "rail" + text
        current: root.app.screen === screen
        shortcutText: keys
        Layout.alignment: Qt.AlignHCenter
        onClicked: root.app.show(screen)

        Shortcut {
            sequence: place.keys
            onActivated: place.click()
        }
    }

    ColumnLayout {
        anchors.fill: parent
        anchors.rightMargin: 1
        anchors.topMargin: 14
        anchors.bottomMargin: 14
        spacing: 0

        Place {
            screen: "home"
            current: ["home", "whatif", "calculator"].includes(root.app.screen)
            keys: "Ctrl+1"
            text: qsTr("Home")
            iconName: "house"
        }
        Place {
            screen: "discover"
            keys: "Ctrl+2"
            text: qsTr("Discover")
            iconName: "compass"
        }
        Place {
            screen: "library"
            keys: "Ctrl+3"
            text: qsTr("Library")
            iconName: "library"
        }
        Place {
            screen: "chat"
            keys: "Ctrl+4"
            text: qsTr("Chat")
            iconName: "message-circle"
        }
        Place {
            objectName: "railFit"
            screen: "fit"
            keys: "Ctrl+5"
            text: qsTr("Make it fit")
            iconName: "shrink"
        }
        Item {
            Layout.fillHeight: true
        }
        Place {
            screen: "downloads"
            keys: "Ctrl+6"
            text: qsTr("Downloads")
            iconName: "download"
            progress: root.app.downloadProgress
        }
        Place {
            screen: "settings"
            keys: "Ctrl+7"
            text: qsTr("Settings")
            iconName: "settings"
        }
    }
    Divider {
        anchors.right: parent.right
        height: parent.height
    }
}
