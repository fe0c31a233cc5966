import QtQuick
import QtQuick.Window
import Snug.Style

// A Lucide icon in any colour: the only place where icons are coloured. Purely visual; its owner carries the name.
Image {
    id: root

    required property string name
    property color color: Theme.text
    property int size: 20

    width: size
    height: size
    sourceSize: Qt.size(size * Screen.devicePixelRatio, size * Screen.devicePixelRatio)
    source: name === "" ? "" : "image://icon/" + name + "/" + color.toString().slice(1)
    fillMode: Image.PreserveAspectFit
    Accessible.ignored: true
}
