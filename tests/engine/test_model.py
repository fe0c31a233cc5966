"""Loading: figures, bounds, and refusals in words."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from snug.core.errors import UserError
from snug.engine.allocated import DeviceBytes, device_bytes, process_memory
from snug.engine.model import LoadedModel, LoadSettings, LoadStopped, explain_load_failure, load_model, useful_threads


def test_the_memory_is_what_the_engine_says(pip_model: LoadedModel) -> None:
    assert 7_000_000 < pip_model.weights_bytes < 7_600_000
    # 6 layers, 2 KV heads of 64, keys and values of 2 bytes, 1,024 tokens
    assert pip_model.conversation_bytes == 6 * 2 * 64 * 2 * 2 * 1024
    assert pip_model.compute_bytes > 0


def test_buffers_are_told_apart_by_device() -> None:
    said = (
        "load_tensors:   CPU_Mapped model buffer size =   100.00 MiB\n"
        "load_tensors:   CPU_REPACK model buffer size =    10.00 MiB\n"
        "load_tensors:      Vulkan0 model buffer size =    50.50 MiB\n"
        "llama_kv_cache:        CPU KV buffer size =     3.00 MiB\n"
        "llama_kv_cache:    Vulkan0 KV buffer size =     2.00 MiB\n"
        "llama_memory_recurrent:    CPU RS buffer size =     1.00 MiB\n"
        "sched_reserve:    Vulkan0 compute buffer size =     9.00 MiB\n"
        "sched_reserve: Vulkan_Host compute buffer size =     4.00 MiB\n"
        "llama_context:        CPU  output buffer size =     0.50 MiB\n"
    )
    mib = 1024 * 1024
    assert device_bytes(said) == (
        DeviceBytes("CPU", weights=100 * mib, repacked=10 * mib, conversation=4 * mib, compute=4 * mib),
        DeviceBytes("Vulkan0", weights=50 * mib + mib // 2, conversation=2 * mib, compute=9 * mib),
    )


def test_what_the_process_held_before_counts_beside_the_buffers(pip_path: str) -> None:
    before = process_memory()
    model = load_model(LoadSettings(path=pip_path))
    (host,) = model.devices
    model.close()
    assert host.name == "CPU"
    if sys.platform == "linux":
        # Linux counts the pages of a process roughly, and may take some back between the two readings.
        assert 0.9 * before.resident < host.other < 1.1 * before.resident + 40_000_000


def test_a_context_beyond_the_training_is_cut_to_it(pip_path: str) -> None:
    model = load_model(LoadSettings(path=pip_path, context=500_000))
    assert (model.context, model.context_max) == (1024, 1024)
    model.close()


def test_a_quantised_conversation_memory_takes_about_half(pip_path: str, pip_model: LoadedModel) -> None:
    model = load_model(LoadSettings(path=pip_path, context=1024, kv_type="q8_0"))
    assert model.conversation_bytes < 0.6 * pip_model.conversation_bytes
    model.close()


def test_a_load_can_be_stopped(pip_path: str) -> None:
    with pytest.raises(LoadStopped):
        load_model(LoadSettings(path=pip_path), is_cancelled=lambda: True)


def test_progress_is_told(pip_path: str) -> None:
    shares: list[float] = []
    load_model(LoadSettings(path=pip_path), shares.append).close()
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


@pytest.mark.parametrize(
    "settings", [{"kv_type": "q9"}, {"context": -1}, {"context": 1 << 40}, {"threads": -2}, {"batch": 0}]
)
def test_settings_out_of_range_are_refused(pip_path: str, settings: dict[str, object]) -> None:
    with pytest.raises(UserError) as error:
        load_model(LoadSettings(path=pip_path, **settings))  # type: ignore[arg-type]
    assert error.value.bad_input


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError) as error:
        load_model(LoadSettings(path=str(tmp_path / "none.gguf")))
    assert error.value.kind == "file-gone"


@pytest.mark.parametrize("content", [b"", b"GGUF", b"not a model" * 100, b"GGUF\x03\0\0\0" + b"\0" * 64])
def test_a_file_that_is_no_model_is_refused_in_words(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "bad.gguf"
    path.write_bytes(content)
    with pytest.raises(UserError) as error:
        load_model(LoadSettings(path=str(path)))
    assert error.value.kind == "bad-file"


def test_a_truncated_model_is_refused_in_words(tmp_path: Path, pip_path: str) -> None:
    path = tmp_path / "short.gguf"
    path.write_bytes(Path(pip_path).read_bytes()[:3_000_000])
    with pytest.raises(UserError) as error:
        load_model(LoadSettings(path=str(path)))
    assert error.value.kind == "bad-file"


def test_a_name_in_any_alphabet_loads(tmp_path: Path, pip_path: str) -> None:
    path = tmp_path / "模型 😀 é.gguf"
    os.link(pip_path, path) if tmp_path.stat().st_dev == Path(pip_path).stat().st_dev else path.write_bytes(
        Path(pip_path).read_bytes()
    )
    load_model(LoadSettings(path=str(path))).close()


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("error loading model architecture: unknown model architecture: 'clip'", "not-a-chat-model"),
        ("error loading model architecture: unknown model architecture: 'qwen9'", "unsupported"),
        ("error loading model vocabulary: unknown pre-tokenizer type: 'new'", "unsupported"),
        ("ggml_backend_cpu_buffer_type_alloc_buffer: failed to allocate buffer of size 99", "no-memory"),
        ("tensor 'x' data is not within the file bounds, model is corrupted or incomplete", "bad-file"),
        ("gguf_init_from_file_impl: invalid magic characters", "bad-file"),
        ("something new", "bad-file"),
    ],
)
def test_each_refusal_of_the_engine_has_its_words(said: str, kind: str) -> None:
    error = explain_load_failure(said, "/models/x.gguf")
    assert error.kind == kind
    assert said in error.details
    assert said not in str(error)


@pytest.mark.parametrize(("size", "cores", "threads"), [(7_500_000, 16, 1), (64 << 20, 16, 4), (5_000_000_000, 8, 8)])
def test_a_tiny_model_gets_few_threads(size: int, cores: int, threads: int) -> None:
    assert useful_threads(size, cores) == threads
