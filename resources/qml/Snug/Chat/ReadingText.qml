import QtQuick
import Snug.Style

// Text that can be selected; its mark-up is Snug's own. A link is a number, and only asks to be opened.
TextEdit {
    id: root

    property string rich: ""
    property string plain: ""
    property list<string> links: []
    property int next: 0
    signal linkAsked(string address)

    text: rich
    textFormat: TextEdit.RichText
    readOnly: true
    selectByMouse: true
    persistentSelection: false
    wrapMode: TextEdit.Wrap
    color: Theme.text
    selectionColor: Theme.accent
    selectedTextColor: Theme.inkOnAccent
    font.pixelSize: Theme.bodySize
    activeFocusOnPress: true
    activeFocusOnTab: links.length > 0
    Accessible.role: Accessible.StaticText
    Accessible.name: plain
    Accessible.readOnly: true

    onLinkActivated: link => root.linkAsked(root.links[Number(link.slice(5))] ?? "")
    Keys.onReturnPressed: {
        if (root.links.length > 0)
            root.linkAsked(root.links[root.next % root.links.length]);
        root.next += 1;
    }

    Loader {
        anchors.fill: parent
        anchors.margins: -3
        active: root.activeFocus && root.links.length > 0
        sourceComponent: Rectangle {
            color: "transparent"
            radius: 4
            border.width: 2
            border.color: Theme.focus
        }
    }
}
