"""The processor: its name, its cores, and the instructions that llama.cpp makes use of."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from snug.core.machine import Cpu
from snug.system.environment import Environment, NotReadable
from snug.system.figures import text, whole
from snug.system.reading import Reading

# What llama.cpp's processor back-end asks for (ggml/include/ggml-cpu.h), in the spelling that Snug uses.
FEATURES = (
    "sse3", "ssse3", "avx", "f16c", "fma", "bmi2", "avx2", "avx_vnni", "avx512f", "avx512bw", "avx512cd", "avx512dq",
    "avx512vl", "avx512_vbmi", "avx512_vnni", "avx512_bf16", "amx_tile", "amx_int8", "amx_bf16",
    "neon", "fp16", "dotprod", "i8mm", "sve", "sve2", "sme", "vsx", "rvv",
)  # fmt: skip

_LINUX_SPELLING = {
    "pni": "sse3", "avx512vbmi": "avx512_vbmi",
    "asimd": "neon", "asimdhp": "fp16", "asimddp": "dotprod",
}  # fmt: skip

# sysctl's names on a Mac, Intel's and Apple's.
_MAC_FEATURES = {
    "hw.optional.sse3": "sse3", "hw.optional.supplementalsse3": "ssse3", "hw.optional.avx1_0": "avx",
    "hw.optional.f16c": "f16c", "hw.optional.fma": "fma", "hw.optional.bmi2": "bmi2", "hw.optional.avx2_0": "avx2",
    "hw.optional.avx512f": "avx512f", "hw.optional.avx512bw": "avx512bw", "hw.optional.avx512cd": "avx512cd",
    "hw.optional.avx512dq": "avx512dq", "hw.optional.avx512vl": "avx512vl", "hw.optional.avx512vbmi": "avx512_vbmi",
    "hw.optional.neon": "neon", "hw.optional.AdvSIMD": "neon", "hw.optional.neon_fp16": "fp16",
    "hw.optional.arm.FEAT_FP16": "fp16", "hw.optional.arm.FEAT_DotProd": "dotprod",
    "hw.optional.arm.FEAT_I8MM": "i8mm", "hw.optional.arm.FEAT_SME": "sme",
}  # fmt: skip

# Numbers of IsProcessorFeaturePresent (winnt.h). Every processor with AVX2 that Windows runs on has FMA and F16C;
# Microsoft's compiler makes the same assumption.
_WINDOWS_FEATURES = {
    13: ("sse3",), 36: ("ssse3",), 39: ("avx",), 40: ("avx2", "fma", "f16c"), 41: ("avx512f",),
    19: ("neon",), 43: ("dotprod",), 46: ("sve",), 47: ("sve2",), 66: ("i8mm",), 67: ("fp16",),
}  # fmt: skip

# Parts that ARM processors name only by number (Linux arch/arm64/include/asm/cputype.h).
_ARM_PARTS = {
    (0x41, 0xD03): "ARM Cortex-A53", (0x41, 0xD08): "ARM Cortex-A72", (0x41, 0xD0B): "ARM Cortex-A76",
    (0x41, 0xD0C): "ARM Neoverse N1", (0x41, 0xD40): "ARM Neoverse V1", (0x41, 0xD49): "ARM Neoverse N2",
    (0x41, 0xD4F): "ARM Neoverse V2", (0x41, 0xD85): "ARM Cortex-X925", (0x41, 0xD87): "ARM Cortex-A725",
    (0xC0, 0xAC3): "Ampere-1", (0x61, 0x022): "Apple M1", (0x61, 0x023): "Apple M1",
}  # fmt: skip

_WINDOWS_KEY = r"HKLM\HARDWARE\DESCRIPTION\System\CentralProcessor\0"


def read(environment: Environment) -> Reading:
    """The processor of this computer; what one source lacks another gives."""
    by_system: dict[str, Callable[[Environment], Reading]] = {"darwin": _read_mac, "windows": _read_windows}
    reading = by_system.get(environment.system, _read_linux)(environment)
    return _completed(reading, environment)


def parse_cpuinfo(cpuinfo: str, model: str = "") -> Reading:
    """The processor from Linux' /proc/cpuinfo; `model` is the device tree's name of a small computer, if any."""
    blocks = [_fields(block) for block in re.split(r"\n\s*\n", cpuinfo)]
    processors = [block for block in blocks if "processor" in block and block["processor"].isdigit()]
    if not processors:
        return Reading(unread={"cpu.name": "/proc/cpuinfo lists no processor"})
    first = processors[0]
    flags = (first.get("flags") or first.get("Features") or first.get("isa", "")).lower().split()
    cpu = Cpu(
        name=_linux_name(first, blocks, model),
        cores=_linux_cores(processors),
        threads=len(processors),
        features=_known(_LINUX_SPELLING.get(flag, flag) for flag in _with_risc_v(flags)),
    )
    return _with_sources(cpu, "/proc/cpuinfo")


def parse_sysctl(output: str) -> Reading:
    """The processor from a Mac's `sysctl hw machdep.cpu`."""
    figures = sysctl_figures(output)
    cpu = Cpu(
        name=text(figures.get("machdep.cpu.brand_string")),
        cores=whole(figures.get("hw.physicalcpu")),
        threads=whole(figures.get("hw.logicalcpu")),
        features=_known(name for key, name in _MAC_FEATURES.items() if figures.get(key) == "1"),
    )
    return _with_sources(cpu, "sysctl")


def parse_registry(output: str) -> str:
    """The processor's name from Windows' `reg query … /v ProcessorNameString`, or ""."""
    match = re.search(r"^\s*ProcessorNameString\s+REG_SZ\s+(.+?)\s*$", output, re.MULTILINE)
    return text(match.group(1)) if match else ""


def sysctl_figures(output: str) -> dict[str, str]:
    """`name: value` lines as a mapping."""
    pairs = (line.split(":", 1) for line in output.splitlines() if ":" in line)
    return {name.strip(): value.strip() for name, value in pairs}


def _read_linux(environment: Environment) -> Reading:
    try:
        model = environment.text("/proc/device-tree/model").strip("\0 \n")
    except NotReadable:
        model = ""
    try:
        return parse_cpuinfo(environment.text("/proc/cpuinfo"), model)
    except NotReadable as reason:
        return Reading(unread={"cpu.name": str(reason)})


def _read_mac(environment: Environment) -> Reading:
    try:
        return parse_sysctl(environment.output(("sysctl", "hw", "machdep.cpu")))
    except NotReadable as reason:
        return Reading(unread={"cpu.name": str(reason)})


def _read_windows(environment: Environment) -> Reading:
    try:
        name = parse_registry(environment.output(("reg", "query", _WINDOWS_KEY, "/v", "ProcessorNameString")))
    except NotReadable:
        name = ""
    try:
        present = [names for number, names in _WINDOWS_FEATURES.items() if environment.has_processor_feature(number)]
    except NotReadable:
        present = []
    features = _known(name for names in present for name in names)
    reading = _with_sources(Cpu(name=name, features=features), "Windows registry")
    sources = {**reading.sources, "cpu.features": "Windows"} if features else reading.sources
    return Reading(cpu=reading.cpu, sources=sources, unread=reading.unread)


def _completed(reading: Reading, environment: Environment) -> Reading:
    """The reading with the core counts that its own source did not have, and the architecture."""
    cpu = reading.cpu or Cpu()
    sources = dict(reading.sources)
    cores, threads = cpu.cores, cpu.threads
    if not cores or not threads:
        try:
            figures = environment.library_figures()
            cores, threads = cores or whole(figures.get("cores")), threads or whole(figures.get("threads"))
            sources["cpu.cores"] = sources["cpu.threads"] = "psutil"
        except NotReadable:
            pass
    if threads and not cores:
        sources["cpu.cores"] = "taken as the threads: the system does not tell cores apart"
    architecture = environment.architecture.lower()
    architecture = {"amd64": "x86_64", "aarch64": "arm64"}.get(architecture, architecture)
    cpu = Cpu(cpu.name, cores or threads, threads or cores, cpu.features, architecture)
    unread = {key: why for key, why in reading.unread.items() if not (key == "cpu.cores" and cpu.cores)}
    return Reading(cpu=cpu, sources=sources, unread=unread)


def _fields(block: str) -> dict[str, str]:
    pairs = (line.split(":", 1) for line in block.splitlines() if ":" in line)
    return {name.strip(): value.strip() for name, value in pairs}


def _linux_name(first: dict[str, str], blocks: list[dict[str, str]], model: str) -> str:
    name = text(first.get("model name") or first.get("cpu") or "")
    if name and not name.lower().startswith("armv"):
        return name
    try:
        part = (int(first.get("CPU implementer", "0"), 16), int(first.get("CPU part", "0"), 16))
    except ValueError:
        part = (0, 0)
    board = text(model) or next((text(block["Model"]) for block in blocks if block.get("Model")), "")
    core = _ARM_PARTS.get(part, "")
    return f"{board} ({core})" if board and core else board or core or text(first.get("uarch", ""))


def _linux_cores(processors: list[dict[str, str]]) -> int:
    """Distinct (package, core) pairs where they are given; 0 where they are not, as on ARM."""
    pairs = {(block.get("physical id"), block["core id"]) for block in processors if "core id" in block}
    return len(pairs)


def _with_risc_v(flags: list[str]) -> list[str]:
    """RISC-V writes its instruction sets in one word, "rv64imafdcv_zicsr"; the letter v there is the vector set."""
    words = [flag.split("_")[0] for flag in flags if flag.startswith("rv")]
    return [*flags, "rvv"] if any("v" in word[4:] for word in words) else flags


def _known(names: Iterable[str]) -> tuple[str, ...]:
    given = set(names)
    return tuple(name for name in FEATURES if name in given)


def _with_sources(cpu: Cpu, source: str) -> Reading:
    figures = {"cpu.name": cpu.name, "cpu.cores": cpu.cores, "cpu.threads": cpu.threads, "cpu.features": cpu.features}
    return Reading(
        cpu=cpu,
        sources={key: source for key, value in figures.items() if value},
        unread={key: f"{source} does not say" for key, value in figures.items() if not value},
    )
