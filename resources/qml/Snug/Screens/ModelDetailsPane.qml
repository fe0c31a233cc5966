pragma ComponentBehavior: Bound
import QtQuick
import QtQuick.Layouts
import Snug.Models
import Snug.Style
import Snug.Parts

// One model: badge, memory bar, which file, how much it remembers, why, and the button.
ScreenPage {
    id: root

    required property ModelDetails details
    property bool showsBack: false
    signal back
    readonly property var chosenFile: details.files.length > 0 ? details.files[Math.min(details.fileIndex, details.files.length - 1)] : null
    readonly property bool isTooBig: details.fit.verdictKind === "bad"

    maximumWidth: 620
    objectName: "modelDetails"

    LinkButton {
        objectName: "detailsBack"
        visible: root.showsBack
        text: qsTr("All models")
        iconName: "chevron-left"
        onClicked: root.back()
    }
    ColumnLayout {
        spacing: 2
        Layout.fillWidth: true

        TitleText {
            objectName: "detailsTitle"
            text: root.details.title
            wrapMode: Text.Wrap
            Layout.fillWidth: true
        }
        BodyText {
            text: root.details.sentence
            color: Theme.quiet
            wrapMode: Text.Wrap
            Layout.fillWidth: true
        }
    }
    RowLayout {
        visible: root.details.fit.isKnown
        spacing: Theme.spaceM

        Badge {
            objectName: "detailsVerdict"
            kind: root.details.verdictKind
            text: root.details.verdictText
        }
        SmallText {
            objectName: "detailsSpeed"
            text: root.details.fit.speedText
            wrapMode: Text.Wrap
            Layout.fillWidth: true
        }
    }
    SmallText {
        objectName: "detailsStatus"
        visible: text !== ""
        text: root.details.statusText
        wrapMode: Text.Wrap
        Layout.fillWidth: true
    }
    Card {
        visible: root.details.fit.isKnown
        Layout.fillWidth: true

        contentItem: MemoryBar {
            segments: root.details.fit.segments
            limit: root.details.fit.limit
            words: root.details.fit.memoryText
        }
    }
    Card {
        visible: root.details.files.length > 0
        Layout.fillWidth: true

        contentItem: ColumnLayout {
            spacing: Theme.spaceXs

            RowLayout {
                StrongText {
                    text: qsTr("Which file")
                    Layout.fillWidth: true
                }
                SmallText {
                    objectName: "fileWords"
                    text: root.chosenFile ? root.chosenFile.title + " · " + root.chosenFile.size : ""
                }
            }
            ValueSlider {
                objectName: "fileSlider"
                label: qsTr("Which file, from smaller to better")
                spokenValue: root.chosenFile ? root.chosenFile.title + ", " + root.chosenFile.size : ""
                visible: root.details.files.length > 1
                from: 0
                to: Math.max(1, root.details.files.length - 1)
                stepSize: 1
                value: root.details.fileIndex
                onMoved: root.details.chooseFile(Math.round(value))
                Layout.fillWidth: true
            }
            RowLayout {
                visible: root.details.files.length > 1

                CaptionText {
                    text: qsTr("Compact")
                    Layout.fillWidth: true
                }
                CaptionText {
                    text: qsTr("Nearly lossless")
                }
            }
            SmallText {
                objectName: "companions"
                visible: text !== ""
                text: root.details.companionText
                wrapMode: Text.Wrap
                Layout.fillWidth: true
            }
            RowLayout {
                Layout.topMargin: Theme.spaceM

                StrongText {
                    text: qsTr("How much it remembers")
                    Layout.fillWidth: true
                }
                SmallText {
                    objectName: "pagesWords"
                    text: root.details.fit.pagesText
                }
            }
            ValueSlider {
                objectName: "contextSlider"
                label: qsTr("How much it remembers")
                spokenValue: root.details.fit.pagesText
                from: 0
                to: 1
                value: root.details.contextPosition
                onMoved: root.details.chooseContext(value)
                Layout.fillWidth: true
            }
        }
    }
    Card {
        visible: root.details.fit.why !== ""
        Layout.fillWidth: true

        contentItem: RowLayout {
            spacing: Theme.spaceM

            TintedIcon {
                name: "lightbulb"
                size: 18
                color: Theme.quiet
                Layout.alignment: Qt.AlignTop
            }
            ColumnLayout {
                spacing: Theme.spaceXs
                Layout.fillWidth: true

                SmallText {
                    objectName: "detailsWhy"
                    text: root.details.fit.why
                    color: Theme.text
                    wrapMode: Text.Wrap
                    Layout.fillWidth: true
                }
                SmallText {
                    objectName: "detailsRoom"
                    visible: text !== ""
                    text: root.details.reasons.roomText
                    color: Theme.text
                    wrapMode: Text.Wrap
                    Layout.fillWidth: true
                }
                SmallText {
                    objectName: "detailsDisk"
                    visible: text !== ""
                    text: root.details.diskText
                    color: Theme.text
                    wrapMode: Text.Wrap
                    Layout.fillWidth: true
                }
                SmallText {
                    objectName: "detailsStanding"
                    visible: text !== ""
                    text: root.details.reasons.standing
                    wrapMode: Text.Wrap
                    Layout.fillWidth: true
                }
                SmallText {
                    objectName: "detailsChange"
                    visible: text !== ""
                    text: root.details.reasons.changeText
                    wrapMode: Text.Wrap
                    Layout.fillWidth: true
                }
            }
        }
    }
    ErrorCard {
        objectName: "gettingProblem"
        visible: root.details.problemTitle !== ""
        title: root.details.problemTitle
        text: root.details.problemAdvice
        Layout.fillWidth: true
    }
    Flow {
        spacing: Theme.spaceM
        Layout.fillWidth: true

        PrimaryButton {
            objectName: "convert"
            visible: root.details.canConvert
            text: qsTr("Make it fit")
            onClicked: root.details.convert()
        }
        PrimaryButton {
            objectName: "getAndChat"
            visible: !root.isTooBig && !root.details.canConvert
            enabled: root.details.canGet
            text: root.details.isLooking ? qsTr("Looking for it…") : qsTr("Get and chat")
            onClicked: root.details.get(true)
        }
        QuietButton {
            objectName: "onlyDownload"
            visible: !root.details.canConvert
            enabled: root.details.canGet
            text: root.isTooBig ? qsTr("Download all the same") : qsTr("Only download")
            onClicked: root.details.get(false)
        }
        SmallText {
            height: Theme.hitHeight
            verticalAlignment: Text.AlignVCenter
            text: root.details.licenceText
        }
    }
    Fold {
        id: evidence
        objectName: "detailsEvidence"
        visible: root.details.reasons.evidence.length > 0
        text: qsTr("What public tests say")
        Layout.fillWidth: true

        Repeater {
            model: evidence.open ? root.details.reasons.evidence : []

            ColumnLayout {
                id: figure
                required property var modelData
                spacing: 0
                Layout.bottomMargin: Theme.spaceS
                Layout.fillWidth: true

                RowLayout {
                    SmallText {
                        text: figure.modelData.name
                        color: Theme.text
                        wrapMode: Text.Wrap
                        Layout.fillWidth: true
                    }
                    SmallText {
                        text: figure.modelData.score
                        color: Theme.text
                    }
                }
                CaptionText {
                    text: figure.modelData.about
                    wrapMode: Text.Wrap
                    Layout.fillWidth: true
                }
                CaptionText {
                    text: figure.modelData.source
                    wrapMode: Text.Wrap
                    Layout.fillWidth: true
                }
            }
        }
    }
    Fold {
        objectName: "detailsRaw"
        visible: root.details.title !== ""
        text: qsTr("Raw figures")
        Layout.fillWidth: true

        SmallText {
            text: root.details.rawText
            font.family: Theme.codeFamily
            wrapMode: Text.WrapAnywhere
            Layout.fillWidth: true
        }
    }
    Fold {
        id: makers
        objectName: "detailsCard"
        visible: root.details.card.length > 0
        text: qsTr("What its makers say")
        Layout.fillWidth: true

        Repeater {
            model: makers.open ? root.details.card : []

            SmallText {
                required property var modelData
                text: modelData.text
                color: modelData.kind === "heading" ? Theme.text : Theme.quiet
                font.weight: modelData.kind === "heading" ? Font.DemiBold : Font.Normal
                font.family: modelData.kind === "code" ? Theme.codeFamily : Application.font.family
                wrapMode: Text.Wrap
                elide: Text.ElideNone
                lineHeight: 1.2
                Layout.fillWidth: true
            }
        }
    }
}
