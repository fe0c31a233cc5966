import QtQuick
import QtQuick.Controls.Basic
import Snug.Style

// The title of a screen. Always plain text: nothing foreign is ever read as mark-up.
Label {
    textFormat: Text.PlainText
    color: Theme.text
    font.pixelSize: Theme.titleSize
    font.weight: Font.DemiBold
    font.letterSpacing: -0.4
    elide: Text.ElideRight
    Accessible.role: Accessible.Heading
    Accessible.name: text
}
