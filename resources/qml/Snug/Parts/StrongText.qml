import QtQuick
import QtQuick.Controls.Basic
import Snug.Style

// The name of a thing, or a figure that matters. Always plain text: nothing foreign is ever read as mark-up.
Label {
    textFormat: Text.PlainText
    color: Theme.text
    font.pixelSize: Theme.bodySize
    font.weight: Font.DemiBold
    elide: Text.ElideRight
    Accessible.role: Accessible.StaticText
    Accessible.name: text
}
