"""The engine's wheel: llama-cpp-python built from source for this processor, and our own cache of such wheels."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from devtool.progress import Step, parse_ninja

DISTRIBUTION = "llama-cpp-python"
CMAKE_ARGUMENTS = "-DGGML_NATIVE=ON"
KEPT_WHEELS = 4

# GCC 12's code for AMX crashes in llama.cpp (any batch above one token); no newer compiler was shown to work yet.
WITHOUT_AMX = "-mno-amx-int8"

_INSTRUCTIONS = re.compile(
    r"^(sse|ssse|avx|fma|f16c|bmi|amx|adx|popcnt|abm|lzcnt|sha|vaes|vpclmul|gfni|movbe|xsave|aes|pclmul|3dnow|asimd|sve|sme|i8mm|bf16|fp|crc32|dot)"
)


@dataclass(frozen=True)
class Recipe:
    """All that decides what the build gives. Two equal recipes give the same wheel."""

    version: str
    cmake_arguments: str
    compiler_flags: str
    compiler: str
    machine: str
    cpu_features: tuple[str, ...]
    python: str

    @property
    def key(self) -> str:
        text = json.dumps(asdict(self), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:24]


def parse_cpu_features(cpuinfo: str) -> tuple[str, ...]:
    """The instruction sets in Linux's /proc/cpuinfo, sorted; kernel work-arounds and the like are left out."""
    found = re.search(r"^(?:flags|Features)\s*:\s*(.*)$", cpuinfo, re.MULTILINE)
    return tuple(sorted({word for word in (found[1].split() if found else ()) if _INSTRUCTIONS.match(word)}))


def this_cpu_features() -> tuple[str, ...]:
    if sys.platform == "linux":
        return parse_cpu_features(Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace"))
    if sys.platform == "darwin":
        asked = ["sysctl", "-n", "machdep.cpu.brand_string"]
        return (subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip(),)
    return (platform.processor(),)


def compiler_flags(machine: str, accepts: Callable[[str], bool]) -> str:
    """The flags for C and C++: on x86 without AMX, where the compiler knows that flag."""
    is_x86 = machine.lower() in ("x86_64", "amd64", "i686")
    return WITHOUT_AMX if is_x86 and accepts(WITHOUT_AMX) else ""


def this_recipe(version: str) -> Recipe:
    """The recipe for this computer, with the compiler that CMake will take."""
    compiler = _compiler()
    return Recipe(
        version=version,
        cmake_arguments=CMAKE_ARGUMENTS,
        compiler_flags=compiler_flags(platform.machine(), lambda flag: _accepts(compiler, flag)),
        compiler=_first_line([compiler, "--version"]) if compiler else "",
        machine=f"{sys.platform} {platform.machine()}",
        cpu_features=this_cpu_features(),
        python=f"{sys.version_info[0]}.{sys.version_info[1]}",
    )


def _compiler() -> str:
    if os.environ.get("CXX"):
        return os.environ["CXX"]
    return next((name for name in ("c++", "g++", "clang++") if shutil.which(name)), "")


def _first_line(command: list[str]) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return done.stdout.partition("\n")[0].strip()


def _accepts(compiler: str, flag: str) -> bool:
    if not compiler:
        return False
    command = [compiler, flag, "-x", "c++", "-fsyntax-only", os.devnull]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def cache_folder(platform_name: str = sys.platform, environment: Mapping[str, str] = os.environ) -> Path:
    """Where built wheels are kept: SNUG_WHEEL_CACHE, or below the user's cache folder."""
    if environment.get("SNUG_WHEEL_CACHE"):
        return Path(environment["SNUG_WHEEL_CACHE"])
    if platform_name == "win32":
        base = Path(environment.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif platform_name == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = Path(environment.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "snug" / "wheels"


def cached_wheel(cache: Path, recipe: Recipe) -> Path | None:
    """The wheel of that recipe, if one was kept whole."""
    return next(iter(sorted((cache / recipe.key).glob("*.whl"))), None)


def keep_wheel(cache: Path, recipe: Recipe, wheel: Path) -> Path:
    """Puts a built wheel into the cache, at once or not at all, and lets the oldest ones go."""
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache, prefix="incoming-") as incoming:
        folder = Path(incoming) / "wheel"
        folder.mkdir()
        shutil.copy2(wheel, folder / wheel.name)
        (folder / "recipe.json").write_text(json.dumps(asdict(recipe), indent=1), encoding="utf-8")
        shutil.rmtree(cache / recipe.key, ignore_errors=True)
        folder.replace(cache / recipe.key)
    kept = sorted(cache.glob("*/recipe.json"), key=lambda path: path.stat().st_mtime, reverse=True)
    for old in kept[KEPT_WHEELS:]:
        shutil.rmtree(old.parent, ignore_errors=True)
    return cache / recipe.key / wheel.name


def build_wheel(
    python: Path, recipe: Recipe, environment: Mapping[str, str], log: Path, title: str, *, keep_open: int
) -> Path:
    """Builds the wheel and puts it into the cache, with progress in the terminal and everything else in `log`.

    `environment` must put the virtual environment's programs (cmake, ninja) first. Raises CalledProcessError.
    """
    folder = Path(tempfile.mkdtemp(prefix="snug-engine-"))
    flags = {name: f"{environment.get(name, '')} {recipe.compiler_flags}".strip() for name in ("CFLAGS", "CXXFLAGS")}
    # pip's own cache of built wheels ignores the flags, so only the source may come from it.
    pip = [str(python), "-m", "pip", "--disable-pip-version-check", "--no-input"]
    source = [*pip, "download", "--no-deps", "--no-build-isolation", "--no-binary", DISTRIBUTION, "-d", str(folder)]
    wheel = [*pip, "--no-cache-dir", "wheel", "-v", "--no-deps", "--no-build-isolation", "-w", str(folder / "built")]
    try:
        with Step(title) as step:
            step.show("fetching the source")
            fetch = [*source, f"{DISTRIBUTION}=={recipe.version}"]
            for _ in run_logged(fetch, {**environment, **flags}, log, keep_open=keep_open):
                step.refresh()
            archive = next(folder.glob("*.tar.gz"))
            build = [*wheel, f"--config-settings=cmake.args={recipe.cmake_arguments}", str(archive)]
            for line in run_logged(build, {**environment, **flags}, log, keep_open=keep_open):
                found = parse_ninja(line)
                if found:
                    step.show(found[2], found[0] / found[1])
        return keep_wheel(cache_folder(), recipe, next((folder / "built").glob("*.whl")))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def run_logged(
    command: list[str], environment: Mapping[str, str], log: Path, *, keep_open: int | None = None
) -> Iterator[str]:
    """Runs a program and gives its output line by line, all of it also into `log`.

    The program inherits the descriptor `keep_open`. Raises CalledProcessError when it fails.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with (
        log.open("a", encoding="utf-8") as file,
        subprocess.Popen(
            command,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            pass_fds=() if keep_open is None or sys.platform == "win32" else (keep_open,),
        ) as process,
    ):
        assert process.stdout is not None
        try:
            for line in process.stdout:
                file.write(line)
                yield line
        except BaseException:
            process.kill()
            raise
    if process.returncode != 0:
        raise subprocess.CalledProcessError(process.returncode, command)
