"""What a child is given."""

from __future__ import annotations

from pathlib import Path

import pytest

from snug.core.errors import UserError
from snug.worker.environment import LOGS_KEPT, child_environment, last_words, new_child_log


def test_a_child_gets_no_token_and_no_password() -> None:
    given = {
        "PATH": "/usr/bin",
        "HF_TOKEN": "hf_secret",
        "SNUG_TOKEN": "secret",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "OPENAI_API_KEY": "secret",
        "SSH_AUTH_SOCK": "/run/agent",
        "LD_PRELOAD": "/tmp/evil.so",
        "lc_ctype": "C.UTF-8",
    }
    kept = child_environment(given)
    assert "secret" not in "".join(kept.values())
    assert "SSH_AUTH_SOCK" not in kept
    assert "LD_PRELOAD" not in kept
    assert kept["PATH"] == "/usr/bin"
    assert kept["lc_ctype"] == "C.UTF-8"


def test_a_crash_of_the_engine_starts_no_debugger() -> None:
    assert child_environment({"GGML_NO_BACKTRACE": "0"})["GGML_NO_BACKTRACE"] == "1"


def test_old_logs_make_room(tmp_path: Path) -> None:
    made = [new_child_log(tmp_path) for _ in range(LOGS_KEPT + 5)]
    assert len(list(tmp_path.glob("child-*.log"))) == LOGS_KEPT
    assert made[-1].exists()


def test_last_words_are_the_end_of_the_log(tmp_path: Path) -> None:
    log = new_child_log(tmp_path)
    log.write_bytes(b"x" * 10_000 + b"\xff the end")
    assert last_words(log, limit=20).endswith("the end")
    assert last_words(tmp_path / "gone.log") == ""


def test_a_folder_that_cannot_be_written_is_said_in_words(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("a file where the folder should be")
    with pytest.raises(UserError, match="cannot write in its folder"):
        new_child_log(tmp_path / "home" / "logs")
