"""Opens the window: what is made, in which order, and how it is put away.

The first frame is drawn before the database is opened; then the view-models are made and handed to QML.

To add a screen: write its view-model (a QObject with `@QmlElement` and `QML_IMPORT_NAME = "Snug.Models"`) and its
QML file (one `required property` named `model`, of the view-model's type), name the file in a `ScreenSlot` of
Main.qml, give it a property in AppModel, make it in `Rooms._make_models` and hand it over in `Rooms._open`.
"""

from __future__ import annotations

import os
import sys
import time
from contextlib import ExitStack
from datetime import datetime
from functools import cache, partial
from importlib import import_module
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer
from PySide6.QtGui import QGuiApplication

from snug.core.errors import UserError
from snug.paths import Paths, resources_folder, user_paths
from snug.store.instance_lock import InstanceLock
from snug.ui.app_model import AppModel
from snug.ui.faults import FaultHook
from snug.ui.first_look import read_first_look, write_first_look
from snug.ui.fonts import use_bundled_fonts
from snug.ui.quit_signals import QuitSignals
from snug.ui.window import Window

if TYPE_CHECKING:
    from collections.abc import Iterator

    from snug.store import Store
    from snug.ui.children import Children

VIEW_MODELS = ("snug.ui.chat", "snug.ui.discover", "snug.ui.library", "snug.ui.downloads", "snug.ui.home",
               "snug.ui.make_it_fit", "snug.ui.settings", "snug.ui.what_if",
               "snug.ui.calculator")  # fmt: skip
"""Loaded one by one after the first frame; together they would keep the window from answering for too long."""

RELEARN_MS = 500
"""What is learnt of models' memory reaches the lists together, so long after the last of it."""
BUSY_TRIES = 20
BUSY_WAIT_MS = 150


def run() -> int:
    """Open the window of this person's home and stay until it closes; a second start raises the first window."""
    paths = user_paths()
    lock = InstanceLock(paths)
    try:
        is_first = lock.acquire()
    except UserError as trouble:
        return open_window(paths, trouble)
    if not is_first:
        return raise_first_window(paths)
    try:
        return open_window(paths)
    finally:
        lock.release()


def open_window(paths: Paths, trouble: UserError | None = None) -> int:
    """Draw the window, then open everything behind it; `trouble` is what keeps it from being opened at all."""
    app = make_application()
    rooms = Rooms(paths, app)
    FaultHook(paths.logs, rooms.app_model.toast.emit).install()
    QuitSignals(app).asked.connect(app.quit)
    if trouble is None:
        rooms.window.first_frame.connect(rooms.open_soon)
    else:
        rooms.app_model.set_trouble(trouble)
    rooms.window.show()
    try:
        return app.exec()
    finally:
        rooms.close()


def make_application() -> QGuiApplication:
    """The Qt application with Snug's name and fonts."""
    app = QGuiApplication(sys.argv[:1])
    app.setApplicationName("Snug")
    app.setDesktopFileName("snug")
    use_bundled_fonts(app, resources_folder() / "fonts")
    return app


def raise_first_window(paths: Paths) -> int:
    """Bring the window that is already open to the front."""
    from snug.ui.first_window import ask_first_window

    if ask_first_window(paths.home):
        return 0
    print("snug: Snug is already open but does not answer. End it, then start it again.", file=sys.stderr)
    return 1


class Rooms(QObject):
    """Everything behind the window: the store, the children and the view-models, from first frame to last."""

    def __init__(self, paths: Paths, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._paths = paths
        self._look = read_first_look(paths.first_look)
        self.app_model = AppModel(self._look, self)
        self.window = Window(resources_folder(), self.app_model, self._look, self)
        self.window.first_frame.connect(report_first_frame)
        self.store: Store | None = None
        self._to_close = ExitStack()
        self._is_closed = False

    def open_soon(self) -> None:
        """Open what is behind the window, one step in each turn of the event loop, so that it stays awake."""
        self._go_on(self._open())

    def _go_on(self, steps: Iterator[int], wait_ms: int = 0) -> None:
        """Take the next step soon."""
        QTimer.singleShot(wait_ms, self, lambda: None if self._is_closed else self._step(steps))

    def _step(self, steps: Iterator[int]) -> None:
        try:
            wait_ms = next(steps)
        except StopIteration:
            return
        except UserError as trouble:
            self.app_model.set_trouble(trouble)
            return
        self._go_on(steps, wait_ms)

    def _open(self) -> Iterator[int]:
        """Listen for second starts, open the store, show what is in it, and look at the computer.

        Yields the milliseconds to wait before the next step.
        """
        from snug.ui.children import Children
        from snug.ui.first_window import FirstWindowServer
        from snug.ui.late_modules import load_late

        FirstWindowServer(self._paths.home, self).asked.connect(self.app_model.raised)
        self._children = Children(self._paths.logs, self)
        yield 0
        load_late()
        import_module("sqlalchemy")
        yield 0
        yield from self._open_store()
        assert self.store is not None
        for name in VIEW_MODELS:
            import_module(name)
            yield 0
        self._make_models(self.store, self._children)
        self._to_close.callback(self.chat.close)
        for screen in (self.home, self.calculator, self.whatif, self.speed_test):
            self._to_close.callback(screen.close)
        yield 0
        self._connect_models()
        self.app_model.install(
            {
                "home": self.home,
                "discover": self.discover,
                "library": self.library,
                "chat": self.chat,
                "fit": self.fit,
                "downloads": self.downloads,
                "settings": self.settings,
                "whatif": self.whatif,
                "calculator": self.calculator,
            }
        )
        yield 0
        self._secrets.load("network.token", self._queue.resume_after_start)
        self.reader.read()

    def _open_store(self) -> Iterator[int]:
        """Open the database; another program (a backup, a virus scanner) may hold it for some seconds."""
        from snug.store import open_store

        for tries_left in reversed(range(BUSY_TRIES)):
            try:
                self.store, notices = open_store(self._paths)
                break
            except UserError as trouble:
                if trouble.kind != "database-busy" or tries_left == 0:
                    raise
            yield BUSY_WAIT_MS
        if self.store is not None:
            self._to_close.callback(self.store.close)
        self._to_close.callback(self._children.kill_all)
        for notice in notices:
            self.app_model.add_notice(notice.title, notice.text)
        yield 0

    def _make_models(self, store: Store, children: Children) -> None:
        """Every screen's view-model, and the services that they share."""
        from snug.core.catalogue import load_catalogue
        from snug.core.known_machines import load_known_machines
        from snug.store import built_in
        from snug.ui.calculator import CalculatorModel
        from snug.ui.chat import ChatModel
        from snug.ui.child_requests import ChildRequests
        from snug.ui.discover import DiscoverModel
        from snug.ui.download_queue import DownloadQueue
        from snug.ui.downloads import DownloadsModel
        from snug.ui.getting import Getting
        from snug.ui.home import HomeModel
        from snug.ui.library import LibraryModelView
        from snug.ui.machine_reader import MachineReader
        from snug.ui.make_it_fit import MakeItFitModel
        from snug.ui.memory_plans import MemoryPlans
        from snug.ui.model_details import ModelDetails
        from snug.ui.secrets import SecretKeeper
        from snug.ui.settings import SettingsModel
        from snug.ui.speed_test import SpeedTestModel
        from snug.ui.what_if import WhatIfModel

        resources = resources_folder()
        catalogue = cache(partial(load_catalogue, resources / "catalogue" / "models.json"))
        keyring = ChildRequests(partial(children.make, "keyring"), self)
        self._secrets = SecretKeeper(store.settings, keyring, self)
        hub = ChildRequests(partial(children.make, "hub"), self)
        files = ChildRequests(partial(children.make, "files"), self)
        self._queue = DownloadQueue(store, self._paths, partial(children.make, "download"), self._token, self)
        self.reader = MachineReader(store, children, self._queue.folder, self)
        self._getting = Getting(store, self._queue, hub, self)
        self._getting.ask_token = self._token
        engine = ChildRequests(partial(children.make, "dry-run"), self)
        measured = store.divergences.known
        plans = MemoryPlans(self._paths.cache, self._paths.home, self._paths.headers, engine, self)
        self._details = ModelDetails(
            self.reader.known, store.settings, hub, self._getting, self, plans=plans, measured=measured
        )

        pip = resources / "models" / "pip" / built_in.FILE
        self.speed_test = SpeedTestModel(self.reader, store, children, self._paths.cache, pip, self._is_at_work, self)
        self.home = HomeModel(
            self.reader, catalogue, self._getting, datetime.now, self,
            speed_test=self.speed_test, library=store.models.all, measured=measured,
        )  # fmt: skip
        known = cache(partial(load_known_machines, resources / "catalogue" / "machines.json"))
        self.whatif = WhatIfModel(known, catalogue, self.reader.known, store.settings, self, measured=measured)
        self.calculator = CalculatorModel(known, self.reader.known, store.settings, self)
        self.discover = DiscoverModel(
            catalogue, self.reader.known, store.settings, hub, self._details, self, measured=measured
        )
        self.library = LibraryModelView(store, self.reader.known, files, self, plans=plans)
        self.chat = ChatModel(
            store, partial(children.make_sized, "chat"), lambda: self.reader.machine, datetime.now, self, plans=plans
        )
        self.reader.held = self.chat.gives_back
        self.reader.files = lambda: plans.files(store.models.all())
        relearn = QTimer(self, interval=RELEARN_MS, singleShot=True)
        relearn.timeout.connect(self.reader.relearn)
        self._to_close.callback(relearn.stop)
        plans.arrived.connect(relearn.start)
        self.reader.relearn()
        previewing = ChildRequests(partial(children.make, "preview"), self)
        converting = ChildRequests(partial(children.make, "conversion"), self)
        comparing = ChildRequests(partial(children.make, "comparison"), self)
        self.fit = MakeItFitModel(
            store, self.reader.known, (previewing, converting, comparing), self._queue.folder, self._paths.cache,
            self._token, catalogue, self, plans=plans,
        )  # fmt: skip
        self.downloads = DownloadsModel(self._queue, store.settings, self)
        self.settings = SettingsModel(store, self._secrets, self._paths.home, resources / "licences", self)

    def _connect_models(self) -> None:
        """What each screen asks of the others."""
        show = self.app_model.show
        self.home.wanted.connect(self._getting.get_entry)
        self.home.hereWanted.connect(self._chat_with)
        self.home.screenWanted.connect(show)
        self.home.said.connect(self.app_model.toast)
        self.home.pipWanted.connect(self._chat_with_pip)
        self.reader.changed.connect(self.chat.refresh)
        self.reader.changed.connect(self.discover.refresh)
        self.reader.changed.connect(self.whatif.refresh)
        self.reader.changed.connect(self.calculator.refresh)
        self.whatif.screenWanted.connect(show)
        self.calculator.screenWanted.connect(show)
        self.reader.changed.connect(self._details.refresh)
        self._getting.queued.connect(lambda _: show("downloads"))
        self._getting.ready.connect(self._chat_with)
        self._queue.arrived.connect(self._on_arrived)
        self.library.chatRequested.connect(self._chat_with)
        self.library.searchRequested.connect(lambda: show("discover"))
        self.discover.settingsRequested.connect(lambda: show("settings"))
        self.library.leaving.connect(self.chat.release)
        self.library.said.connect(self.app_model.toast)
        self.library.makeItFitRequested.connect(self._make_fit)
        self._details.convertRequested.connect(self._make_fit)
        self.fit.chatRequested.connect(self._chat_with)
        self.fit.searchRequested.connect(self._search)
        self.fit.settingsRequested.connect(lambda: show("settings"))
        self.fit.said.connect(self.app_model.toast)
        self.reader.changed.connect(self.fit.refresh)
        self.downloads.chatRequested.connect(self._chat_with)
        self.downloads.searchRequested.connect(self._search)
        self.downloads.settingsRequested.connect(lambda: show("settings"))
        self.downloads.summaryChanged.connect(self._show_progress)
        self.chat.toast.connect(self.app_model.toast)
        self.settings.changed.connect(self._on_setting)
        self.app_model.screenChanged.connect(self._on_screen)
        self._on_setting("appearance.theme")
        self._show_progress()

    def _chat_with(self, model_id: int) -> None:
        self.chat.newChatWith(model_id)
        self.app_model.show("chat")

    def _make_fit(self, source: str) -> None:
        """Show "Make it fit" with this model's page, folder or file."""
        self.fit.open(source)
        self.app_model.show("fit")

    def _search(self, text: str) -> None:
        """Show Discover, with a search for this where it says something."""
        self.app_model.show("discover")
        if text:
            self.discover.lookFor(text)

    def _chat_with_pip(self) -> None:
        assert self.store is not None
        for model in self.store.models.all():
            if model.source == "built-in":
                self._chat_with(model.id)

    def _on_arrived(self, download_id: int, model_id: int) -> None:
        """A model is here: chat with it where that was asked for, unless a conversation is being written."""
        self.reader.relearn()
        row = self._queue.row(download_id)
        self.chat.refresh()
        if row is not None and row.then_chat and not self._is_answering():
            self._chat_with(model_id)
        elif row is not None:
            self.app_model.toast.emit(f"{row.title} has arrived. You find it in the Library.")

    def _is_at_work(self) -> bool:
        """Whether a model is at work, so that nothing else should take the processor."""
        return self.chat.is_answering

    def _is_answering(self) -> bool:
        return self.chat.is_answering

    def _on_screen(self) -> None:
        """A screen that is come back to shows what is true now."""
        screen = self.app_model.property("screen")
        if screen == "library":
            self.library.refresh()
        elif screen == "chat":
            self.chat.refresh()
        elif screen == "home":
            self.home.refresh()

    def _on_setting(self, key: str) -> None:
        if key.startswith("appearance."):
            self._look = self.settings.look(self._look)
            self.app_model.set_look(self._look)
            write_first_look(self._paths.first_look, self._look)
        else:
            self._queue.on_setting(key)
            self.chat.refresh()

    def _show_progress(self) -> None:
        is_active = self.downloads.property("activeCount") > 0
        self.app_model.set_download_progress(self.downloads.property("fraction") if is_active else -1.0)

    def _token(self) -> str:
        return self._secrets.get("network.token")

    def close(self) -> None:
        """Keep the window's place, save what is being written, end the children, close the store."""
        if self._is_closed:
            return
        self._is_closed = True
        write_first_look(self._paths.first_look, self.window.place(self._look))
        self.window.dispose()
        self._to_close.close()


def report_first_frame() -> None:
    """Tell `snug bench start` when the first frame was drawn."""
    if os.environ.get("SNUG_REPORT_FIRST_FRAME") == "1":
        print("first-frame", time.monotonic_ns(), flush=True)
