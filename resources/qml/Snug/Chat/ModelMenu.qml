pragma ComponentBehavior: Bound
import QtQuick
import Snug.Models
import Snug.Style
import Snug.Parts

// Which model answers: a chip that opens the models of the library.
Chip {
    id: root

    required property ChatComposer composer

    objectName: "modelChip"
    text: composer.modelName === "" ? qsTr("No model yet") : composer.modelName
    iconName: "box"
    opensMenu: true
    Accessible.name: qsTr("Model: %1").arg(text)
    onClicked: menu.open()

    ActionMenu {
        id: menu
        width: Math.round(340 * Theme.roomScale)
        y: -height - 4
        height: Math.min(implicitHeight, 360)

        Instantiator {
            model: root.composer.models
            delegate: ActionItem {
                required property int modelId
                required property string name
                required property string detail
                required property bool isReady
                required property bool isChosen

                objectName: "model" + modelId
                text: name
                iconName: "box"
                enabled: isReady
                checkable: true
                checked: isChosen
                Accessible.description: detail
                onTriggered: root.composer.chooseModel(modelId)
            }
            onObjectAdded: (index, object) => menu.insertItem(index, object as ActionItem)
            onObjectRemoved: (index, object) => menu.removeItem(object as ActionItem)
        }
        ActionItem {
            objectName: "giveMemoryBack"
            text: qsTr("Give the memory back")
            iconName: "memory-stick"
            enabled: root.composer.isLoaded && !root.composer.isAnswering
            onTriggered: root.composer.giveMemoryBack()
        }
    }
}
