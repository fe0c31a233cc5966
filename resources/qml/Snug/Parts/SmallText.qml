import QtQuick
import QtQuick.Controls.Basic
import Snug.Style

// Quiet text beside or under a thing. Always plain text: nothing foreign is ever read as mark-up.
Label {
    textFormat: Text.PlainText
    color: Theme.quiet
    font.pixelSize: Theme.smallSize
    font.weight: Font.Normal
    elide: Text.ElideRight
    horizontalAlignment: Text.AlignLeft // also names written from right to left stay beside their icon
    Accessible.role: Accessible.StaticText
    Accessible.name: text
}
