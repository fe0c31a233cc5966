pragma ComponentBehavior: Bound
import QtQuick
import QtQuick.Controls.Basic
import QtQuick.Layouts
import Snug.Models
import Snug.Style
import Snug.Parts

// The window: the rail at the left, one screen beside it, notices above, toasts below.
ApplicationWindow {
    id: root

    required property AppModel app

    title: "Snug"
    minimumWidth: 720
    minimumHeight: 520
    color: Theme.window
    font.pixelSize: Theme.bodySize

    Binding {
        target: Theme
        property: "dark"
        value: root.app.dark
    }
    Binding {
        target: Theme
        property: "reducedMotion"
        value: root.app.reducedMotion
    }
    Binding {
        target: Theme
        property: "textScale"
        value: root.app.textScale
    }
    Connections {
        target: root.app

        function onToast(text: string): void {
            toast.show(text);
        }
        function onRaised(): void {
            if (root.visibility === Window.Minimized || root.visibility === Window.Hidden)
                root.show();
            root.raise();
            root.requestActivate();
        }
    }

    Rail {
        id: rail
        app: root.app
        height: parent.height
    }
    ColumnLayout {
        anchors.left: rail.right
        anchors.right: parent.right
        height: parent.height
        spacing: 0

        Banner {
            objectName: "notice"
            visible: root.app.noticeTitle !== ""
            title: root.app.noticeTitle
            text: root.app.noticeText
            onDismissed: root.app.dismissNotice()
            Layout.fillWidth: true
        }
        Item {
            Layout.fillWidth: true
            Layout.fillHeight: true

            ScreenSlot {
                screen: "home"
                source: "Screens/Home.qml"
                model: root.app.home
                current: root.app.screen
            }
            ScreenSlot {
                screen: "discover"
                source: "Screens/Discover.qml"
                model: root.app.discover
                current: root.app.screen
            }
            ScreenSlot {
                screen: "library"
                source: "Screens/Library.qml"
                model: root.app.library
                current: root.app.screen
            }
            ScreenSlot {
                screen: "chat"
                source: "Chat/ChatScreen.qml"
                model: root.app.chat
                current: root.app.screen
            }
            ScreenSlot {
                screen: "fit"
                source: "Screens/MakeItFit.qml"
                model: root.app.fit
                current: root.app.screen
            }
            ScreenSlot {
                screen: "whatif"
                source: "Screens/WhatIf.qml"
                model: root.app.whatif
                current: root.app.screen
            }
            ScreenSlot {
                screen: "calculator"
                source: "Screens/Calculator.qml"
                model: root.app.calculator
                current: root.app.screen
            }
            ScreenSlot {
                screen: "downloads"
                source: "Screens/Downloads.qml"
                model: root.app.downloads
                current: root.app.screen
            }
            ScreenSlot {
                screen: "settings"
                source: "Screens/Settings.qml"
                model: root.app.settings
                current: root.app.screen
            }
        }
    }
    Loader {
        anchors.fill: parent
        active: root.app.troubleTitle !== ""
        sourceComponent: Trouble {
            app: root.app
        }
    }
    Toast {
        id: toast
        objectName: "toast"
        anchors.bottom: parent.bottom
        anchors.bottomMargin: Theme.spaceXl
        anchors.horizontalCenter: parent.horizontalCenter
    }
}
