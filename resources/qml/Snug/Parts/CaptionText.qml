import QtQuick
import QtQuick.Controls.Basic
import Snug.Style

// The smallest text: legends and figures in passing. Always plain text: nothing foreign is ever read as mark-up.
Label {
    textFormat: Text.PlainText
    color: Theme.quiet
    font.pixelSize: Theme.captionSize
    font.weight: Font.Normal
    elide: Text.ElideRight
    Accessible.role: Accessible.StaticText
    Accessible.name: text
}
