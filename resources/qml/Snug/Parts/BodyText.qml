import QtQuick
import QtQuick.Controls.Basic
import Snug.Style

// Text of body size. Always plain text: nothing foreign is ever read as mark-up.
Label {
    textFormat: Text.PlainText
    color: Theme.text
    font.pixelSize: Theme.bodySize
    font.weight: Font.Normal
    elide: Text.ElideRight
    Accessible.role: Accessible.StaticText
    Accessible.name: text
}
