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
    horizontalAlignment: Text.AlignLeft // also names written from right to left stay beside their icon
    Accessible.role: Accessible.StaticText
    Accessible.name: text
}
