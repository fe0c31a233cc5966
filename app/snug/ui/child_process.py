"""One child process of the window: typed messages over QProcess, and its death explained in words."""

from __future__ import annotations

import sys
import time
from collections.abc import Collection, Sequence
from pathlib import Path

from PySide6.QtCore import QObject, QProcess, QProcessEnvironment, QTimer, Signal

from snug.ui.restart_limit import RestartLimit
from snug.worker import frames, protocol
from snug.worker.death import ChildDeath, MemoryFacts, explain_bad_frame, explain_death
from snug.worker.environment import child_command, child_environment, last_words, new_child_log

__all__ = ["ChildDeath", "ChildProcess"]

STOP_GRACE_MS = 2000
READ_AT_ONCE_BYTES = 1024 * 1024


class ChildProcess(QObject):
    """Starts with the first request; `event` carries (request number, message), `died` comes at most once.

    After `died` the object is of no more use: its owner makes a new one. A `RestartLimit` shared by all children
    of one kind delays the start after deaths, and refuses it after too many. `stop` ends it without `died`; then
    `keeper` becomes its parent until the process is gone, so that its owner may be deleted at once.
    """

    event = Signal(int, object)  # type: ignore[assignment]  # hides QObject.event, which nobody calls by hand
    died = Signal(object)
    gone = Signal()

    def __init__(
        self,
        logs: Path,
        *,
        restarts: RestartLimit | None = None,
        memory: MemoryFacts | None = None,
        command: Sequence[str] | None = None,
        keeper: QObject | None = None,
        variables: Collection[str] = (),
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self.memory = memory
        self._keeper = keeper
        self._variables = variables
        self._logs = logs
        self._log: Path | None = None
        self._restarts = restarts
        self._command = list(command or child_command())
        self._reader = frames.event_reader()
        self._numbers = 0
        self._unsent = bytearray()
        self._is_started = False
        self._is_over = False
        self._process = QProcess(self)
        self._process.readyReadStandardOutput.connect(self._read)
        self._process.started.connect(self._write_unsent)
        self._process.finished.connect(self._on_finished)
        self._process.errorOccurred.connect(self._on_error)
        self._stop_timer = QTimer(self, interval=STOP_GRACE_MS)
        self._stop_timer.timeout.connect(self._stop_harder)
        self._stop_steps = [self._process.terminate, self._process.kill]

    @property
    def is_running(self) -> bool:
        """Whether a process is there or about to be."""
        return self._is_started and not self._is_over

    @property
    def pid(self) -> int:
        """The process's number, 0 before it runs."""
        return self._process.processId()

    def start(self) -> None:
        """Start now instead of with the first request."""
        if self._is_started or self._is_over:
            return
        self._is_started = True
        delay = 0.0 if self._restarts is None else self._restarts.delay(time.monotonic())
        if delay is None:
            QTimer.singleShot(0, self, self._refuse)
        elif delay > 0:
            QTimer.singleShot(round(delay * 1000), self, self._launch)
        else:
            self._launch()

    def send(self, body: protocol.Request) -> int:
        """Send one request without waiting; its number. A request to a dead child is dropped: `died` told of it."""
        self.start()
        self._numbers += 1
        self._write(frames.encode_request(self._numbers, body))
        return self._numbers

    def cancel(self, number: int) -> None:
        """Ask that job to stop; it still answers with its final event."""
        if self.is_running:
            self._write(frames.encode_request(0, protocol.Cancel(job=number)))

    def note_success(self) -> None:
        """It did its work, so a death from now on is the first one again."""
        if self._restarts is not None:
            self._restarts.note_success()

    def stop(self) -> None:
        """End the child: asked first, then terminated, then killed; `died` does not come."""
        if self._is_over:
            return
        self._is_over = True
        if self._process.state() == QProcess.ProcessState.NotRunning:
            return
        if self._keeper is not None:
            self.setParent(self._keeper)
        self._process.closeWriteChannel()
        self._stop_timer.start()

    def kill(self) -> None:
        """End the child at once, without `died`; it is safe at any instant. Returns when the process is gone."""
        self._is_over = True
        if self._process.state() != QProcess.ProcessState.NotRunning:
            self._process.kill()
            self._process.waitForFinished(STOP_GRACE_MS)

    def _launch(self) -> None:
        if self._is_over:
            return
        self._log = new_child_log(self._logs)
        environment = QProcessEnvironment()
        for name, value in child_environment(also=self._variables).items():
            environment.insert(name, value)
        self._process.setProcessEnvironment(environment)
        self._process.setStandardErrorFile(str(self._log), QProcess.OpenModeFlag.Append)
        self._process.start(self._command[0], self._command[1:])

    def _write(self, data: bytes) -> None:
        if self._is_over:
            return
        if self._process.state() == QProcess.ProcessState.Running:
            self._process.write(data)
        else:
            self._unsent += data

    def _write_unsent(self) -> None:
        data, self._unsent = bytes(self._unsent), bytearray()
        if data:
            self._process.write(data)

    def _read(self) -> None:
        data = bytes(self._process.readAllStandardOutput().data()) if self._is_over else self._read_some()
        if self._is_over:
            return
        try:
            for frame in self._reader.feed(data):
                assert isinstance(frame, frames.EventFrame)
                self.event.emit(frame.id, frame.body)
                if self._is_over:  # a listener stopped it
                    return
        except frames.BadFrame as error:
            self._end(explain_bad_frame(str(error), self._last_words()))
            self._process.kill()

    def _read_some(self) -> bytes:
        """A flood is read in pieces, so that the window stays awake."""
        data = bytes(self._process.read(READ_AT_ONCE_BYTES).data())
        if self._process.bytesAvailable():
            QTimer.singleShot(0, self, self._read)
        return data

    def _on_finished(self, code: int, status: QProcess.ExitStatus) -> None:
        self._stop_timer.stop()
        while not self._is_over and self._process.bytesAvailable():
            self._read()
        has_signal = status == QProcess.ExitStatus.CrashExit and sys.platform != "win32"
        death = explain_death(
            None if has_signal else code, code if has_signal else None, self._last_words(), self.memory
        )
        self._end(death)
        self.gone.emit()

    def _on_error(self, error: QProcess.ProcessError) -> None:
        if error == QProcess.ProcessError.FailedToStart:
            self._end(
                ChildDeath(
                    "A part of Snug could not be started.",
                    "Close other programs and try again. If it stays so, install Snug again.",
                    "not-started",
                    self._process.errorString(),
                )
            )

    def _refuse(self) -> None:
        assert self._restarts is not None
        wait = round(self._restarts.seconds_until_allowed(time.monotonic()))
        self._end(
            ChildDeath(
                "It ended three times within a minute, so Snug stopped trying.",
                f"Try again in {max(1, wait)} seconds. `snug doctor` can say more.",
                "too-many-deaths",
            ),
            counts=False,
        )

    def _end(self, death: ChildDeath, *, counts: bool = True) -> None:
        if self._is_over:
            return
        self._is_over = True
        if counts and self._restarts is not None:
            self._restarts.note_death(time.monotonic())
        self.died.emit(death)

    def _stop_harder(self) -> None:
        if self._stop_steps:
            self._stop_steps.pop(0)()

    def _last_words(self) -> str:
        return last_words(self._log) if self._log is not None else ""
