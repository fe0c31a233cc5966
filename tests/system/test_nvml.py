"""NVIDIA's library is asked for everything that it knows, and a question that it refuses costs that figure alone."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pynvml
import pytest

from snug.system import nvidia
from snug.system.environment import NotReadable
from snug.system.nvml import ask_nvml

CARD, PART, OTHER_PART = "card", "part", "other part"


def refuse(*_: object) -> Any:
    raise pynvml.NVMLError(pynvml.NVML_ERROR_NOT_SUPPORTED)


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Lets the library answer as given and refuse every other question of those that Snug asks."""

    def answer(**answers: Any) -> None:
        names = (
            "nvmlInit", "nvmlShutdown", "nvmlSystemGetDriverVersion", "nvmlDeviceGetCount",
            "nvmlDeviceGetHandleByIndex",
            "nvmlDeviceGetName", "nvmlDeviceGetPciInfo", "nvmlDeviceGetMemoryInfo", "nvmlDeviceGetMaxClockInfo",
            "nvmlDeviceGetMemoryBusWidth", "nvmlDeviceGetMigMode", "nvmlDeviceGetMaxMigDeviceCount",
            "nvmlDeviceGetMigDeviceHandleByIndex", "nvmlDeviceGetComputeRunningProcesses",
            "nvmlDeviceGetGraphicsRunningProcesses", "nvmlSystemGetProcessName",
        )  # fmt: skip
        for name in names:
            monkeypatch.setattr(pynvml, name, answers.get(name, refuse))

    return answer


def memory(total: int, free: int) -> Any:
    return SimpleNamespace(total=total, free=free, used=total - free)


def process(pid: int, used: int | None) -> Any:
    return SimpleNamespace(pid=pid, usedGpuMemory=used)


COMMON: dict[str, Any] = {
    "nvmlInit": lambda: None,
    "nvmlShutdown": lambda: None,
    "nvmlSystemGetDriverVersion": lambda: b"570.133.07",
    "nvmlDeviceGetCount": lambda: 1,
    "nvmlDeviceGetHandleByIndex": lambda index: CARD,
    "nvmlDeviceGetName": lambda handle: f"NVIDIA {handle}",
}


def test_a_card_with_everything(library: Callable[..., None]) -> None:
    library(
        **COMMON,
        nvmlDeviceGetPciInfo=lambda handle: SimpleNamespace(busId=b"00000000:01:00.0", pciDeviceId=0x250410DE),
        nvmlDeviceGetMemoryInfo=lambda handle: memory(12_000_000_000, 9_000_000_000),
        nvmlDeviceGetMaxClockInfo=lambda handle, kind: 7501,
        nvmlDeviceGetMemoryBusWidth=lambda handle: 192,
        nvmlDeviceGetMigMode=lambda handle: [0, 0],
        nvmlDeviceGetComputeRunningProcesses=lambda handle: [process(999_999_901, 700_000_000)],
        nvmlDeviceGetGraphicsRunningProcesses=lambda handle: [
            process(999_999_901, 700_000_000), process(999_999_902, None)
        ],
        nvmlSystemGetProcessName=lambda pid: b"/usr/lib/firefox/firefox",
    )  # fmt: skip
    (gpu,) = nvidia.parse(ask_nvml()).gpus
    assert (gpu.driver, gpu.pci_id, gpu.device_id) == ("570.133.07", "0000:01:00.0", "10de:2504")
    assert (gpu.memory_total, gpu.memory_free, gpu.memory_used) == (12_000_000_000, 9_000_000_000, 3_000_000_000)
    assert [(holder.name, holder.size_bytes) for holder in gpu.holders] == [("Firefox", 700_000_000)]
    assert gpu.bandwidth == pytest.approx(360e9, rel=0.001)


def test_partitions_are_asked_one_by_one_and_empty_places_are_passed_over(library: Callable[..., None]) -> None:
    def partition(handle: str, number: int) -> str:
        return {0: PART, 3: OTHER_PART}.get(number) or refuse()

    sizes = {CARD: memory(80, 70), PART: memory(40, 39), OTHER_PART: memory(10, 4)}
    library(
        **COMMON,
        nvmlDeviceGetMemoryInfo=sizes.__getitem__,
        nvmlDeviceGetMigMode=lambda handle: [pynvml.NVML_DEVICE_MIG_ENABLE, 1],
        nvmlDeviceGetMaxMigDeviceCount=lambda handle: 7,
        nvmlDeviceGetMigDeviceHandleByIndex=partition,
    )
    gpus = nvidia.parse(ask_nvml()).gpus
    assert [(gpu.name, gpu.memory_total, gpu.part_of) for gpu in gpus] == [
        ("NVIDIA part", 40, "NVIDIA card"),
        ("NVIDIA other part", 10, "NVIDIA card"),
    ]


def test_a_card_that_refuses_every_question_is_still_a_card(library: Callable[..., None]) -> None:
    library(**{**COMMON, "nvmlDeviceGetName": refuse, "nvmlSystemGetDriverVersion": refuse})
    assert ask_nvml() == [{"processes": []}]
    assert nvidia.parse(ask_nvml()).gpus[0].name == "NVIDIA graphics"


def test_a_library_that_does_not_start_is_a_reason_in_words(library: Callable[..., None]) -> None:
    def start() -> None:
        raise pynvml.NVMLError(pynvml.NVML_ERROR_LIB_RM_VERSION_MISMATCH)

    library(nvmlInit=start)
    with pytest.raises(NotReadable, match="not restarted since"):
        ask_nvml()
