"""The private virtual environment in .venv: made, checked, mended, and stamped when it is whole."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
import tomllib
import venv
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from devtool import engine, system_packages
from devtool.engine import Recipe, run_logged
from devtool.installed import damaged_distributions, forget, remove_leftovers
from devtool.lock import setup_lock
from devtool.progress import Step, parse_pip

BUILD_TOOLS = ("cmake", "ninja")
CHECK_OF_IMPORTS = "import PySide6.QtQml, PySide6.QtQuick, llama_cpp, snug._native, snug.core.errors"
LOADED_LIBRARIES = (
    "PySide6/Qt*Quick.abi3.so",
    "PySide6/Qt/plugins/platforms/libqxcb.so",
    "PySide6/Qt/plugins/platforms/libqoffscreen.so",
    "PySide6/Qt/plugins/tls/libqopensslbackend.so",
    "llama_cpp/lib/*.so",
)


class SetupFailed(Exception):
    """The set-up cannot go on; the words say what happened and what to do."""


@dataclass(frozen=True)
class Layout:
    """The checkout and the places in it that the set-up uses."""

    root: Path

    @property
    def venv(self) -> Path:
        return self.root / ".venv"

    @property
    def python(self) -> Path:
        return self.venv / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")

    @property
    def programs(self) -> Path:
        return self.python.parent

    @property
    def site_packages(self) -> Path:
        if sys.platform == "win32":
            return self.venv / "Lib" / "site-packages"
        return self.venv / "lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}" / "site-packages"

    @property
    def stamp(self) -> Path:
        return self.venv / "snug-set-up.json"

    @property
    def lock(self) -> Path:
        return self.root / "build" / "set-up.lock"

    @property
    def log(self) -> Path:
        return self.root / "build" / "set-up.log"

    @property
    def constraints(self) -> Path:
        return self.root / "packaging" / "constraints.txt"


def digest(layout: Layout, recipe: Recipe) -> str:
    """Changes whenever the environment must be brought up to date: pins, native sources, Python, engine, place.

    A compiler that was updated or removed since is no reason: what it built goes on working.
    """
    built = dataclasses.replace(recipe, compiler="", compiler_flags=engine.WITHOUT_AMX)
    whole = hashlib.sha256()
    sources = sorted(path for path in (layout.root / "native").rglob("*") if path.is_file())
    for path in (layout.root / "pyproject.toml", layout.constraints, *sources):
        whole.update(path.relative_to(layout.root).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    whole.update(json.dumps([sys.version, sys.base_prefix, str(layout.root), built.key]).encode())
    return whole.hexdigest()


def is_ready(layout: Layout, wanted: str) -> bool:
    """True when the stamp is the wanted one and nothing has been lost since."""
    try:
        stamp = json.loads(layout.stamp.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    if not isinstance(stamp, dict) or stamp.get("digest") != wanted or not layout.python.exists():
        return False
    installed = {path.name for path in layout.site_packages.glob("*.dist-info")}
    return set(stamp.get("packages", ())) <= installed and not damaged_distributions(layout.site_packages)


def this_recipe(layout: Layout) -> Recipe:
    return engine.this_recipe(pinned(layout.constraints, engine.DISTRIBUTION))


def ensure(layout: Layout) -> None:
    """Sets the environment up, or mends it, whatever state it is in. Raises SetupFailed."""
    recipe = this_recipe(layout)
    wanted = digest(layout, recipe)
    with setup_lock(layout.lock, _say_that_we_wait) as lock:
        if not is_ready(layout, wanted):
            SetUp(layout, recipe, lock).run(wanted)


def _say_that_we_wait() -> None:
    print("Another set-up is running here; waiting for it.", file=sys.stderr)


def pinned(constraints: Path, name: str) -> str:
    """The version that the constraints file pins. Raises SetupFailed where it pins none."""
    for line in constraints.read_text(encoding="utf-8").splitlines():
        found, _, version = line.partition("==")
        if found.strip().lower().replace("_", "-") == name:
            return version.strip()
    raise SetupFailed(f"{constraints.name} does not pin {name}.")


def requirements(pyproject: Path) -> list[str]:
    """Everything to install but the engine: what Snug needs, what builds it and what tests it."""
    document = tomllib.loads(pyproject.read_text(encoding="utf-8"))
    project = document["project"]
    extras = project.get("optional-dependencies", {})
    names = [*project["dependencies"], *extras.get("test", ()), *document["build-system"]["requires"], *BUILD_TOOLS]
    return [name for name in names if not name.startswith(engine.DISTRIBUTION)]


def is_usable(layout: Layout) -> bool:
    """True for an environment of this Python, made in this place, whose interpreter and pip work."""
    try:
        config = (layout.venv / "pyvenv.cfg").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return False
    # Programs in it begin with the path of their interpreter, so a moved environment does not work any more.
    is_in_place = any(line.startswith("command") and line.endswith(str(layout.venv)) for line in config.splitlines())
    probe = "import sys, pip; print(sys.version_info[:2] == eval(sys.argv[1]), sys.prefix)"
    try:
        done = subprocess.run(
            [str(layout.python), "-I", "-c", probe, repr(sys.version_info[:2])],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return False
    return is_in_place and done.returncode == 0 and done.stdout.split()[:1] == ["True"]


def missing_libraries(site_packages: Path) -> list[str]:
    """The sonames that Qt and the engine need and this Linux lacks, as its own loader finds them."""
    if sys.platform != "linux" or shutil.which("ldd") is None:
        return []
    files = [path for pattern in LOADED_LIBRARIES for path in sorted(site_packages.glob(pattern))]
    done = subprocess.run(["ldd", *(str(path) for path in files)], capture_output=True, text=True, check=False)
    return system_packages.parse_ldd(done.stdout)


class SetUp:
    """One run of the set-up, under the lock."""

    def __init__(self, layout: Layout, recipe: Recipe, lock: int) -> None:
        self._layout = layout
        self._recipe = recipe
        self._lock = lock
        self._environment = self._clean_environment()

    def run(self, wanted: str) -> None:
        began = time.monotonic()
        layout = self._layout
        print("Setting Snug up. The first time takes some minutes; the next start is immediate.", file=sys.stderr)
        layout.log.write_text("", encoding="utf-8")
        if layout.venv.is_symlink() or layout.venv.is_file():
            layout.venv.unlink()
        layout.stamp.unlink(missing_ok=True)
        try:
            self._make_environment()
            self._install_libraries()
            self._install_engine()
            self._install_snug()
            self._check_imports()
        except subprocess.CalledProcessError as error:
            raise SetupFailed(self._words_of_failure()) from error
        packages = sorted(path.name for path in layout.site_packages.glob("*.dist-info"))
        document = {"digest": wanted, "packages": packages}
        partial = layout.stamp.with_suffix(".part")
        partial.write_text(json.dumps(document), encoding="utf-8")
        partial.replace(layout.stamp)
        print(f"Snug is set up ({time.monotonic() - began:.0f} s).", file=sys.stderr)

    def _clean_environment(self) -> dict[str, str]:
        left_out = ("PYTHONHOME", "PYTHONPATH", "CMAKE_ARGS", "VIRTUAL_ENV")
        environment = {name: value for name, value in os.environ.items() if name not in left_out}
        environment["PATH"] = f"{self._layout.programs}{os.pathsep}{environment.get('PATH', os.defpath)}"
        environment["PIP_ROOT_USER_ACTION"] = "ignore"
        environment["PYTHONUNBUFFERED"] = "1"
        return environment

    def _make_environment(self) -> None:
        layout = self._layout
        if is_usable(layout):
            remove_leftovers(layout.site_packages)
            for dist_info in damaged_distributions(layout.site_packages):
                print(f"Mending {dist_info.name.split('-')[0]}.", file=sys.stderr)
                forget(dist_info)
            return
        with Step("[1/4] Making the private environment"):
            shutil.rmtree(layout.venv, ignore_errors=True)
            venv.EnvBuilder(with_pip=True, clear=True, symlinks=sys.platform != "win32").create(layout.venv)

    def _pip(self, title: str, arguments: Iterable[str]) -> None:
        pip = [str(self._layout.python), "-m", "pip", "--disable-pip-version-check", "--no-input"]
        with Step(title) as step:
            for line in run_logged([*pip, *arguments], self._environment, self._layout.log, keep_open=self._lock):
                doing = parse_pip(line)
                if doing:
                    step.show(doing)

    def _install_libraries(self) -> None:
        wanted = requirements(self._layout.root / "pyproject.toml")
        # Wheels only: a library without one for this Python would need tools that nobody was asked for.
        arguments = ["install", "--only-binary", ":all:", "-c", str(self._layout.constraints), *wanted]
        self._pip("[2/4] Installing libraries", arguments)

    def _install_engine(self) -> None:
        title = "[3/4] Building the engine for this processor"
        wheel = engine.cached_wheel(engine.cache_folder(), self._recipe)
        if wheel is None:
            wheel = engine.build_wheel(
                self._layout.python, self._recipe, self._environment, self._layout.log, title, keep_open=self._lock
            )
        if self._installed_engine() != wheel.as_uri():
            self._pip("[3/4] Installing the engine", ["install", "--force-reinstall", "--no-deps", str(wheel)])
        # The engine itself is there now, so this brings only what it depends on.
        name = f"{engine.DISTRIBUTION}=={self._recipe.version}"
        self._pip("[3/4] Completing the engine", ["install", "-c", str(self._layout.constraints), name])

    def _installed_engine(self) -> str:
        """The address of the wheel that the installed engine came from."""
        for folder in self._layout.site_packages.glob("llama_cpp_python-*.dist-info"):
            try:
                return str(json.loads((folder / "direct_url.json").read_text(encoding="utf-8"))["url"])
            except (OSError, ValueError, KeyError):
                return ""
        return ""

    def _install_snug(self) -> None:
        arguments = ["install", "--no-build-isolation", "--no-deps", "-e", str(self._layout.root)]
        self._pip("[4/4] Building Snug's native module", arguments)

    def _check_imports(self) -> None:
        lacking = system_packages.needs_of_sonames(missing_libraries(self._layout.site_packages))
        if lacking:
            raise SetupFailed(system_packages.advice(lacking, system_packages.this_system(), sys.version_info[:2]))
        done = subprocess.run(
            [str(self._layout.python), "-c", CHECK_OF_IMPORTS],
            capture_output=True,
            text=True,
            env=self._environment,
            check=False,
        )
        if done.returncode != 0:
            last = done.stderr.strip().splitlines()[-1:] or [f"the process ended with {done.returncode}"]
            raise SetupFailed(f"Everything was installed, but it does not start: {last[0]}")

    def _words_of_failure(self) -> str:
        lines = self._layout.log.read_text(encoding="utf-8", errors="replace").splitlines()
        tail = [line for line in lines if line.strip()][-12:]
        return "\n".join(
            [
                "The set-up stopped. The last lines of it were:",
                *(f"    {line}" for line in tail),
                f"All of them are in {self._layout.log}. Check the network connection and start the command again: "
                "it goes on where it stopped.",
            ]
        )
