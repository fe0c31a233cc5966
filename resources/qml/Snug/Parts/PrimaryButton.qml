import QtQuick

// The one obvious next thing to press: filled with the accent.
QuietButton {
    filled: true
}
