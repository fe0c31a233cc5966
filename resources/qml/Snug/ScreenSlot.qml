pragma ComponentBehavior: Bound
import QtQuick
import Snug.Style
import Snug.Parts

// The place of one screen: loaded when it is first shown and its view-model exists, then kept.
Item {
    id: root

    required property string screen
    required property string current
    required property QtObject model
    property url source
    readonly property bool isCurrent: screen === current
    readonly property bool wanted: isCurrent && model !== null

    anchors.fill: parent
    visible: isCurrent
    enabled: isCurrent

    onWantedChanged: load()
    Component.onCompleted: load()

    function load(): void {
        if (wanted && loader.status === Loader.Null)
            loader.setSource(source, {
                model: model
            });
    }

    Loader {
        id: loader
        objectName: root.screen + "Screen"
        anchors.fill: parent
        focus: root.isCurrent
    }
    SmallText {
        anchors.centerIn: parent
        visible: root.model === null
        text: qsTr("Opening your things…")
    }
}
