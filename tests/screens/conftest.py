"""The real window on a new home folder: real store, real children, drawn offscreen; and hands to use it with."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QObject, QPoint, QPointF, Qt
from PySide6.QtGui import QAccessible, QAccessibleInterface, QGuiApplication
from PySide6.QtQuick import QQuickItem
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from snug.core.machine import Machine
from snug.main import Rooms
from snug.paths import Paths, resources_folder
from snug.store import open_store
from snug.ui.fonts import use_bundled_fonts
from snug.worker import protocol
from snug.worker.client import WorkerClient

PICTURES = Path(__file__).parent / "pictures"
SIZES = ((1280, 800), (900, 600))
OPEN_LIMIT_MS = 20_000

PRESSABLE = {
    QAccessible.Role.Button,
    QAccessible.Role.CheckBox,
    QAccessible.Role.RadioButton,
    QAccessible.Role.ComboBox,
    QAccessible.Role.EditableText,
    QAccessible.Role.SpinBox,
    QAccessible.Role.Slider,
    QAccessible.Role.PageTab,
    QAccessible.Role.MenuItem,
    QAccessible.Role.ListItem,
    QAccessible.Role.Link,
}


class Hands:
    """Finds things of the window by object name, presses them, writes, and takes pictures."""

    def __init__(self, rooms: Rooms, bot: QtBot) -> None:
        self.rooms = rooms
        self.app = rooms.app_model
        self.view = rooms.window.view
        self.bot = bot

    def items(self, name: str) -> list[QQuickItem]:
        """Every visible item of that object name, also in dialogs and menus that are open."""
        found: list[QQuickItem] = []
        _collect(self.view.contentItem(), name, found)
        return found

    def item(self, name: str) -> QQuickItem:
        """The one visible item of that object name; waits for it."""
        self.bot.waitUntil(lambda: len(self.items(name)) == 1, timeout=OPEN_LIMIT_MS)
        return self.items(name)[0]

    def is_shown(self, name: str) -> bool:
        return bool(self.items(name))

    def text(self, name: str) -> str:
        return str(self.item(name).property("text"))

    def centre(self, item: QQuickItem) -> QPoint:
        return item.mapToScene(QPointF(item.width() / 2, item.height() / 2)).toPoint()

    def click(self, target: str | QQuickItem) -> None:
        """Press the left button on the middle of an item, after scrolling it into view."""
        item = self.item(target) if isinstance(target, str) else target
        self.scroll_to(item)
        QTest.mouseClick(self.view, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, self.centre(item))

    def scroll_to(self, item: QQuickItem) -> None:
        """Move the nearest flickable so that the item's middle is inside the window."""
        flickable = item.parentItem()
        while flickable is not None and flickable.property("contentY") is None:
            flickable = flickable.parentItem()
        if flickable is None:
            return
        inside = item.mapToItem(flickable, QPointF(0, item.height() / 2)).y()
        if not 0 <= inside <= flickable.height():
            highest = max(0.0, float(flickable.property("contentHeight")) - flickable.height())
            wanted = float(flickable.property("contentY")) + inside - flickable.height() / 2
            flickable.setProperty("contentY", min(max(0.0, wanted), highest))
            self.settle()

    def key(self, key: Qt.Key, modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
        QTest.keyClick(self.view, key, modifier)

    def write(self, text: str) -> None:
        for character in text:
            QTest.keyClick(self.view, character)

    def settle(self) -> None:
        """Let what is due be done and drawn."""
        for _ in range(3):
            QGuiApplication.processEvents()
            self.view.grabWindow()

    def go(self, screen: str) -> QQuickItem:
        """Show a screen by its rail button; its loaded root item."""
        self.click(f"rail{screen.capitalize()}")
        self.bot.waitUntil(lambda: self.screen_item(screen) is not None, timeout=OPEN_LIMIT_MS)
        self.settle()
        item = self.screen_item(screen)
        assert item is not None
        return item

    def screen_item(self, screen: str) -> QQuickItem | None:
        loader = self.view.findChild(QObject, f"{screen}Screen")
        item = loader.property("item") if loader is not None else None
        return item if isinstance(item, QQuickItem) else None

    def use_theme(self, theme: str) -> None:
        self.app.set_look(replace(self.app._look, theme=theme, reduced_motion=True))
        self.settle()

    def save_pictures(self, name: str) -> list[Path]:
        """The window as it is, in light and dark, large and small; into tests/screens/pictures."""
        PICTURES.mkdir(exist_ok=True)
        paths = []
        for width, height in SIZES:
            self.view.resize(width, height)
            for theme in ("light", "dark"):
                self.use_theme(theme)
                path = PICTURES / f"{name}-{theme}-{width}x{height}.png"
                assert self.view.grabWindow().save(str(path))
                paths.append(path)
        self.view.resize(*SIZES[0])
        self.use_theme("light")
        return paths

    def nameless(self) -> list[str]:
        """Every pressable or focusable thing that the accessibility tree shows without a name."""
        QAccessible.setActive(True)
        root = QAccessible.queryAccessibleInterface(self.view)
        wrong: list[str] = []
        _walk(root, [], wrong)
        return wrong

    def spoken(self) -> list[str]:
        """All names of the accessibility tree, in order."""
        QAccessible.setActive(True)
        names: list[str] = []
        _names(QAccessible.queryAccessibleInterface(self.view), names)
        return names

    def outside(self) -> list[str]:
        """Every visible text that ends beyond the right edge of the window."""
        return [
            f"{item.property('text')} {item.mapToScene(QPointF(item.width(), 0)).x():.0f}"
            for item in _all(self.view.contentItem())
            if item.isVisible()
            and item.property("text")
            and item.mapToScene(QPointF(item.width(), 0)).x() > self.view.width()
        ]

    def small_targets(self) -> list[str]:
        """Every visible control that offers less than 40 pixels of height to a finger."""
        return [
            f"{item.metaObject().className()} {item.property('text') or item.property('label')} {item.height():.0f}"
            for item in _all(self.view.contentItem())
            if item.inherits("QQuickAbstractButton") and item.isEnabled() and item.isVisible() and item.height() < 40
        ]


def _collect(item: QQuickItem, name: str, found: list[QQuickItem]) -> None:
    if not item.isVisible():
        return
    if item.objectName() == name:
        found.append(item)
    for child in item.childItems():
        _collect(child, name, found)


def _all(item: QQuickItem) -> Iterator[QQuickItem]:
    yield item
    for child in item.childItems():
        yield from _all(child)


def _walk(node: QAccessibleInterface | None, path: list[str], wrong: list[str]) -> None:
    if node is None or not node.isValid() or node.state().invisible:
        return
    name = node.text(QAccessible.Text.Name)
    if node.state().passwordEdit:
        name = node.text(QAccessible.Text.Description)
    role = node.role()
    if (role in PRESSABLE or node.state().focusable) and not name.strip() and path:
        thing = node.object()
        kind = thing.metaObject().className() if thing is not None else "?"
        wrong.append(" > ".join([*path, f"{role.name} {kind} {thing.objectName() if thing is not None else ''}"]))
    for index in range(node.childCount()):
        _walk(node.child(index), [*path, f"{role.name}:{name}"], wrong)


def _names(node: QAccessibleInterface | None, names: list[str]) -> None:
    if node is None or not node.isValid() or node.state().invisible:
        return
    name = node.text(QAccessible.Text.Name)
    if name:
        names.append(name)
    for index in range(node.childCount()):
        _names(node.child(index), names)


@pytest.fixture(scope="session")
def this_machine(tmp_path_factory: pytest.TempPathFactory) -> Machine:
    """This computer as a child reads it, once for all windows."""
    with WorkerClient(tmp_path_factory.mktemp("logs")) as client:
        answer = client.request(protocol.ReadMachine(models_folder="."), timeout=60)
    assert isinstance(answer, protocol.MachineRead)
    return answer.machine


@pytest.fixture
def known_home(home: Path, this_machine: Machine) -> Path:
    """A home folder where the computer was read before, as at every start but the first."""
    store, _ = open_store(Paths(home))
    store.machine.remember(this_machine)
    store.close()
    return home


@pytest.fixture
def open_rooms(qapp: QGuiApplication, qtbot: QtBot) -> Iterator[Callable[[Path], Rooms]]:
    """Opens the window of a home folder with everything behind it; all are closed afterwards."""
    use_bundled_fonts(qapp, resources_folder() / "fonts")
    opened: list[Rooms] = []

    def open_one(home: Path) -> Rooms:
        rooms = Rooms(Paths(home), qapp)
        opened.append(rooms)
        rooms.window.first_frame.connect(rooms.open_soon)
        rooms.window.show()
        is_open = lambda: rooms.app_model.home is not None or rooms.app_model.troubleTitle != ""  # noqa: E731
        qtbot.waitUntil(is_open, timeout=OPEN_LIMIT_MS)
        return rooms

    yield open_one
    for rooms in opened:
        rooms.close()
        rooms.deleteLater()


@pytest.fixture
def rooms(open_rooms: Callable[[Path], Rooms], known_home: Path) -> Rooms:
    """The window of a home that knows its computer."""
    return open_rooms(known_home)


@pytest.fixture
def hands_on(qtbot: QtBot) -> Callable[[Rooms], Hands]:
    """Hands for a window."""

    def hands_for(rooms: Rooms) -> Hands:
        hands = Hands(rooms, qtbot)
        hands.view.resize(*SIZES[0])
        hands.settle()
        return hands

    return hands_for


@pytest.fixture
def hands(rooms: Rooms, hands_on: Callable[[Rooms], Hands]) -> Hands:
    """Hands on the open window."""
    return hands_on(rooms)
