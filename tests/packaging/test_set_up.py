"""The set-up on a tiny checkout: made once, quick afterwards, and mended whatever happened to it."""

from __future__ import annotations

import dataclasses
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from devtool import engine
from devtool.environment import Layout, SetupFailed, digest, pinned, requirements
from devtool.installed import damaged_distributions

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="paths of a POSIX environment")

SITE = Path(".venv") / "lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}" / "site-packages"


@pytest.fixture
def checkout(tiny_checkout):  # type: ignore[no-untyped-def]
    """The tiny checkout, set up."""
    done = tiny_checkout.run("run", "hello")
    assert done.stdout == "snug hello\n", done.stderr
    return tiny_checkout


def test_everything_after_run_goes_to_snug(checkout) -> None:  # type: ignore[no-untyped-def]
    done = checkout.run("run", "machine", "--json", "--full", "-x")
    assert (done.returncode, done.stdout) == (0, "snug machine --json --full -x\n")


def test_a_second_start_sets_nothing_up(checkout) -> None:  # type: ignore[no-untyped-def]
    assert checkout.run("run").stderr == ""


def test_the_flag_does_nothing_where_nothing_is_missing(checkout) -> None:  # type: ignore[no-untyped-def]
    done = checkout.run("run", "--install-system", "hello")
    assert (done.stdout, done.stderr) == ("snug hello\n", "")


def _without_python_link(root: Path) -> None:
    (root / ".venv/bin/python").unlink()


def _with_a_dangling_python(root: Path) -> None:
    for name in ("python", "python3", f"python3.{sys.version_info[1]}"):
        (root / ".venv/bin" / name).unlink()
        (root / ".venv/bin" / name).symlink_to("/nowhere/python3")


def _without_a_file_of_a_package(root: Path) -> None:
    (root / SITE / "PySide6/QtQml.py").unlink()


def _with_a_cut_file(root: Path) -> None:
    (root / SITE / "llama_cpp/__init__.py").write_text("", encoding="utf-8")


def _without_a_package(root: Path) -> None:
    shutil.rmtree(root / SITE / "nanobind")
    shutil.rmtree(root / SITE / "nanobind-1.0.dist-info")


def _without_a_record(root: Path) -> None:
    (root / SITE / "cmake-1.0.dist-info/RECORD").unlink()


def _without_pip(root: Path) -> None:
    shutil.rmtree(root / SITE / "pip")


def _without_packages(root: Path) -> None:
    shutil.rmtree(root / SITE)


def _as_a_file(root: Path) -> None:
    shutil.rmtree(root / ".venv")
    (root / ".venv").write_text("not a folder", encoding="utf-8")


def _of_another_python(root: Path) -> None:
    (root / ".venv/lib" / SITE.parts[2]).rename(root / ".venv/lib/python3.9")
    link = root / ".venv/bin/python"
    link.unlink()
    link.symlink_to("/bin/false")


def _with_a_stamp_of_garbage(root: Path) -> None:
    (root / ".venv/snug-set-up.json").write_bytes(b"\xff\x00[]")


def _with_damaged_packages(root: Path) -> None:
    _without_a_file_of_a_package(root)
    _with_a_cut_file(root)
    _without_a_package(root)


DAMAGE: list[Callable[[Path], None]] = [_with_damaged_packages, _as_a_file]
if os.environ.get("SNUG_FULL_TESTS"):
    DAMAGE += [
        _without_python_link,
        _with_a_dangling_python,
        _without_a_file_of_a_package,
        _with_a_cut_file,
        _without_a_package,
        _without_a_record,
        _without_pip,
        _without_packages,
        _of_another_python,
        _with_a_stamp_of_garbage,
    ]


@pytest.mark.parametrize("damage", DAMAGE, ids=lambda damage: damage.__name__.strip("_"))
def test_an_environment_is_mended(checkout, damage: Callable[[Path], None]) -> None:  # type: ignore[no-untyped-def]
    damage(checkout.root)
    done = checkout.run("run", "hello")
    assert (done.returncode, done.stdout) == (0, "snug hello\n"), done.stderr
    assert damaged_distributions(checkout.root / SITE) == []


def test_a_changed_pin_is_installed(checkout) -> None:  # type: ignore[no-untyped-def]
    from importlib.metadata import distributions

    _new_pytest(checkout)
    checkout.pin("1.1")
    assert checkout.run("run", "hello").stdout == "snug hello\n"
    installed = {item.name: item.version for item in distributions(path=[str(checkout.root / SITE)])}
    assert installed["pytest"] == "1.1"


def _new_pytest(checkout) -> None:  # type: ignore[no-untyped-def]
    """A wheel of the next version, made from the first one."""
    import zipfile

    with (
        zipfile.ZipFile(checkout.wheels / "pytest-1.0-py3-none-any.whl") as old,
        zipfile.ZipFile(checkout.wheels / "pytest-1.1-py3-none-any.whl", "w") as new,
    ):
        for name in old.namelist():
            new.writestr(
                name.replace("1.0", "1.1"), old.read(name).replace(b"-1.0", b"-1.1").replace(b": 1.0", b": 1.1")
            )


def test_a_set_up_that_was_killed_is_finished_by_the_next_start(checkout, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    (checkout.root / ".venv/snug-set-up.json").unlink()
    gate = tmp_path / "go"
    process = checkout.start("run", "hello", TINY_WAIT_FOR=str(gate))
    _wait_for(process, checkout.root / "building")
    os.kill(process.pid, signal.SIGKILL)
    gate.touch()
    process.communicate(timeout=60)
    done = checkout.run("run", "hello")
    assert done.stdout == "snug hello\n", done.stderr


def test_two_starts_at_once_do_not_meet(checkout, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    (checkout.root / ".venv/snug-set-up.json").unlink()
    gate = tmp_path / "go"
    first = checkout.start("run", "first", TINY_WAIT_FOR=str(gate))
    _wait_for(first, checkout.root / "building")
    second = checkout.start("run", "second")
    assert second.stderr is not None
    assert "waiting" in second.stderr.readline()
    gate.touch()
    assert first.communicate(timeout=60)[0] == "snug first\n"
    out, err = second.communicate(timeout=60)
    assert out == "snug second\n"
    assert "Setting Snug up" not in err


def _wait_for(process: subprocess.Popen[str], path: Path) -> None:
    while not path.exists():
        assert process.poll() is None
        time.sleep(0.02)


def test_a_moved_checkout_is_set_up_anew(checkout) -> None:  # type: ignore[no-untyped-def]
    before = checkout.root
    checkout.root = before.with_name("moved")
    before.rename(checkout.root)
    done = checkout.run("run", "hello")
    assert done.stdout == "snug hello\n", done.stderr
    assert str(before) not in (checkout.root / ".venv/bin/pip").read_text(encoding="utf-8")


def test_a_failing_installation_says_where_it_stopped(checkout) -> None:  # type: ignore[no-untyped-def]
    pins = checkout.root / "packaging/constraints.txt"
    right = pins.read_text(encoding="utf-8")
    pins.write_text(right.replace("nanobind==1.0", "nanobind==9.9"), encoding="utf-8")
    done = checkout.run("run", "hello")
    pins.write_text(right, encoding="utf-8")
    assert done.returncode == 1
    assert done.stdout == ""
    assert "nanobind" in done.stderr
    assert "Traceback" not in done.stderr


def test_snug_is_installed_with_everything_but_the_engine(tiny_checkout) -> None:  # type: ignore[no-untyped-def]
    names = requirements(tiny_checkout.root / "pyproject.toml")
    assert names == ["PySide6-Essentials", "pytest", "nanobind==1.0", "cmake", "ninja"]


def test_an_engine_without_a_pin_is_refused(tmp_path: Path) -> None:
    (tmp_path / "constraints.txt").write_text("numpy==1.0\n", encoding="utf-8")
    with pytest.raises(SetupFailed, match="llama-cpp-python"):
        pinned(tmp_path / "constraints.txt", "llama-cpp-python")


def test_an_updated_compiler_is_no_reason_to_build_anew_but_another_processor_is(tiny_checkout) -> None:  # type: ignore[no-untyped-def]
    layout = Layout(tiny_checkout.root)
    recipe = engine.this_recipe("1.0")
    before = digest(layout, recipe)
    assert digest(layout, dataclasses.replace(recipe, compiler="c++ 99.1", compiler_flags="")) == before
    assert digest(layout, dataclasses.replace(recipe, cpu_features=("avx9",))) != before
    assert digest(layout, dataclasses.replace(recipe, version="2.0")) != before
