pragma Singleton
import QtQuick

// The one visual language: colours by role, spacings, type sizes and motion. The shell sets the three inputs.
QtObject {
    id: root

    // Inputs, bound by Main.qml to what the person chose.
    property bool dark: false
    property bool reducedMotion: false
    property real textScale: 1.0

    // Surfaces.
    readonly property color window: dark ? "#171615" : "#F7F5F2"
    readonly property color surface: dark ? "#211F1D" : "#FFFFFF"
    readonly property color raised: dark ? "#2A2825" : "#FBFAF8"
    readonly property color control: dark ? "#2A2825" : "#FFFFFF"
    readonly property color hover: dark ? "#2F2C29" : "#F0EDE8"
    readonly property color line: dark ? "#36332F" : "#E4DFD8"
    readonly property color cardLine: dark ? "#211F1D" : "#E4DFD8"

    // Text.
    readonly property color text: dark ? "#EDE9E3" : "#1F1D1A"
    readonly property color quiet: dark ? "#A39C92" : "#6B655C"

    // The one accent.
    readonly property color accent: dark ? "#6FC3AC" : "#2F6F5E"
    readonly property color accentHover: dark ? "#83CFBA" : "#275E50"
    readonly property color inkOnAccent: dark ? "#10201B" : "#FFFFFF"
    readonly property color accentSoft: dark ? "#22332E" : "#E6EFEB"
    readonly property color focus: dark ? "#79B0FF" : "#1F6FEB"

    // States: the colour of icons and bars, the tint behind a badge, and words upon that tint.
    readonly property color good: dark ? "#7BD49C" : "#2E7D4F"
    readonly property color goodSoft: dark ? "#1F3027" : "#E8F2EB"
    readonly property color goodText: dark ? "#7BD49C" : "#256B42"
    readonly property color tight: dark ? "#E6B450" : "#9A6700"
    readonly property color tightSoft: dark ? "#352C1A" : "#F7EFDD"
    readonly property color tightText: dark ? "#E6B450" : "#855900"
    readonly property color bad: dark ? "#F08A7E" : "#B3372B"
    readonly property color badSoft: dark ? "#3A2422" : "#F8E6E3"
    readonly property color badText: dark ? "#F08A7E" : "#A83226"

    // Segments of a memory bar.
    readonly property color barOther: dark ? "#4A4640" : "#CFC8BE"
    readonly property color barModel: accent
    readonly property color barConversation: dark ? "#3F7466" : "#7FB3A3"
    readonly property color barFree: dark ? "#2A2825" : "#EFEBE5"

    // Spacings.
    readonly property int spaceXs: 4
    readonly property int spaceS: 8
    readonly property int spaceM: 12
    readonly property int spaceL: 16
    readonly property int spaceXl: 24
    readonly property int spaceXxl: 40

    // Type.
    readonly property string codeFamily: "JetBrains Mono"
    readonly property int titleSize: Math.round(28 * textScale)
    readonly property int headingSize: Math.round(20 * textScale)
    readonly property int bodySize: Math.round(15 * textScale)
    readonly property int smallSize: Math.round(13 * textScale)
    readonly property int captionSize: Math.round(12 * textScale)
    readonly property real readingLineHeight: 1.45
    readonly property int readingWidth: 720

    // Shapes and motion.
    readonly property int cardRadius: 12
    readonly property int controlRadius: 8
    readonly property real roomScale: Math.max(1, (1 + textScale) / 2)
    readonly property int controlHeight: Math.round(36 * roomScale)
    readonly property int hitHeight: Math.round(40 * roomScale)
    readonly property int motion: reducedMotion ? 0 : 150
}
