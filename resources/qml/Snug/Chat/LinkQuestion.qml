import QtQuick
import Snug.Parts

// Shows the whole address before anything is opened.
AskDialog {
    id: root

    property string address: ""
    signal agreed(string address)

    function ask(address: string): void {
        if (address === "")
            return;
        root.address = address;
        root.open();
    }

    objectName: "linkQuestion"
    title: qsTr("Open this address in your browser?")
    text: address
    confirmText: qsTr("Open")
    onAccepted: root.agreed(root.address)
}
