pragma ComponentBehavior: Bound
import QtQuick
import QtQuick.Controls.Basic
import QtQuick.Layouts
import Snug.Models
import Snug.Style
import Snug.Parts

// A list of models at the left, the chosen one at the right; on a narrow window one of the two.
Item {
    id: root

    required property DiscoverModel model
    readonly property bool isNarrow: width < 900
    readonly property bool showsDetails: model.currentKey !== ""

    Component.onCompleted: root.model.fill()

    RowLayout {
        anchors.fill: parent
        spacing: 0

        Item {
            visible: !root.showsDetails
            Layout.fillWidth: true
        }
        ColumnLayout {
            visible: !root.isNarrow || !root.showsDetails
            spacing: Theme.spaceM
            Layout.fillHeight: true
            Layout.fillWidth: root.isNarrow || !root.showsDetails
            Layout.maximumWidth: root.isNarrow || !root.showsDetails ? 1100 : 548
            Layout.preferredWidth: root.showsDetails ? 548 : 1100
            Layout.topMargin: 28
            Layout.leftMargin: 20

            TitleText {
                text: qsTr("Discover")
            }
            TextEntry {
                objectName: "search"
                label: qsTr("Search, or paste a link")
                placeholderText: label
                iconName: "search"
                maximumLength: 300
                text: root.model.text
                Layout.fillWidth: true
                Layout.rightMargin: 20
                onTextChanged: root.model.setText(text)
                onAccepted: root.model.search()
            }
            Flow {
                spacing: Theme.spaceS
                Layout.fillWidth: true
                Layout.rightMargin: 20

                Chip {
                    objectName: "fitsOnly"
                    text: qsTr("Fits this computer")
                    checkable: true
                    showCheck: true
                    checked: root.model.fitsOnly
                    onToggled: root.model.setFilter("fits", checked ? "yes" : "")
                }
                Choice {
                    objectName: "useFilter"
                    label: qsTr("Use")
                    width: Math.round(108 * Theme.textScale)
                    listWidth: 180
                    font.pixelSize: Theme.smallSize
                    model: root.model.uses
                    textRole: "title"
                    valueRole: "value"
                    onActivated: root.model.setFilter("use", currentValue)
                }
                Choice {
                    objectName: "sizeFilter"
                    label: qsTr("Size")
                    width: Math.round(108 * Theme.textScale)
                    listWidth: 180
                    font.pixelSize: Theme.smallSize
                    model: root.model.sizes
                    textRole: "title"
                    valueRole: "value"
                    onActivated: root.model.setFilter("size", currentValue)
                }
                Choice {
                    objectName: "licenceFilter"
                    label: qsTr("Licence")
                    width: Math.round(122 * Theme.textScale)
                    listWidth: 260
                    font.pixelSize: Theme.smallSize
                    model: root.model.licences
                    textRole: "title"
                    valueRole: "value"
                    onActivated: root.model.setFilter("licence", currentValue)
                }
            }
            SmallText {
                objectName: "searching"
                visible: root.model.isBusy
                text: qsTr("Looking on Hugging Face…")
                Layout.leftMargin: 4
            }
            ErrorCard {
                objectName: "searchProblem"
                visible: root.model.problemTitle !== ""
                kind: "tight"
                title: root.model.problemTitle
                text: root.model.problemAdvice
                actionText: root.model.problemAction
                onAction: root.model.mend()
                Layout.fillWidth: true
                Layout.rightMargin: 20
            }
            SmallText {
                objectName: "searchEmpty"
                visible: root.model.emptyText !== ""
                text: root.model.emptyText
                wrapMode: Text.Wrap
                Layout.fillWidth: true
                Layout.leftMargin: 4
            }
            ListView {
                id: list
                objectName: "discoverList"
                model: root.model.rows
                clip: true
                spacing: 0
                boundsBehavior: Flickable.StopAtBounds
                keyNavigationEnabled: true
                activeFocusOnTab: true
                Layout.fillWidth: true
                Layout.fillHeight: true
                Accessible.role: Accessible.List
                Accessible.name: qsTr("Models")
                ScrollBar.vertical: QuietScrollBar {}
                Keys.onReturnPressed: currentItem && (currentItem as DiscoverRow).click()

                delegate: DiscoverRow {
                    width: ListView.view.width - 20
                    current: root.model.currentKey === key
                    onClicked: root.model.open(key)
                }
            }
        }
        Divider {
            visible: root.showsDetails && !root.isNarrow
            Layout.preferredWidth: 1
            Layout.fillHeight: true
        }
        ModelDetailsPane {
            visible: root.showsDetails
            details: root.model.details
            showsBack: root.isNarrow
            onBack: root.model.open("")
            Layout.fillWidth: true
            Layout.fillHeight: true
        }
        Item {
            visible: !root.showsDetails
            Layout.fillWidth: true
        }
    }
}
