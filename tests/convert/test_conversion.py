"""Whole conversions: what comes out, how they are stopped and go on, what they refuse."""

from __future__ import annotations

import hashlib
import json
import os
import struct
import tracemalloc
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest
from gguf import GGUFReader, GGUFValueType, GGUFWriter
from gguf.quants import dequantize

from snug.convert.conversion import Report, Result, Settings, convert
from snug.convert.open_source import open_local
from snug.convert.pipeline import Pipeline, Stopped
from snug.convert.preview import choices, warnings
from snug.convert.quantize import quantize_rows
from snug.convert.result_file import journal_path, part_path
from snug.convert.result_journal import read_journal
from snug.core.errors import UserError
from snug.engine.model import LoadSettings, load_model
from snug.formats.checkpoints.number_types import E4M3
from snug.formats.random_checkpoint import LlamaShape, write_checkpoint
from snug.paths import resources_folder
from tests.formats.checkpoints.safetensors_maker import Tensor, safetensors

PIP = resources_folder() / "models" / "pip" / "pip-7m-Q8_0.gguf"
SHAPE = LlamaShape(layers=3, width=256, feed_forward=512, heads=4, kv_heads=2, vocabulary=512)


@dataclass
class Conversion:
    """A conversion that can be stopped after so many reports."""

    source: Path
    out: Path
    settings: Settings = field(default_factory=lambda: Settings("Q4_K_M"))
    stop_after: int = 1_000_000
    adapter: Path | None = None
    reports: list[Report] = field(default_factory=list)

    def __call__(self) -> Result:
        self.reports.clear()
        with open_local(self.source, self.adapter) as source:
            return convert(
                source,
                self.out,
                self.settings,
                on_progress=self.reports.append,
                is_cancelled=lambda: len(self.reports) >= self.stop_after,
            )


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_checkpoint(tmp_path_factory.mktemp("checkpoint") / "Tiny-Llama", SHAPE, shards=3)


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_checkpoint_becomes_a_file_that_the_engine_loads(checkpoint: Path, tmp_path: Path) -> None:
    result = Conversion(checkpoint, tmp_path / "out.gguf")()
    assert names_in(tmp_path) == ["out.gguf"]
    data = result.path.read_bytes()
    assert hashlib.sha256(data).hexdigest() == result.sha256
    assert len(data) == result.size_bytes
    load_model(LoadSettings(path=str(result.path), context=64, threads=1)).close()


def test_every_tensor_holds_the_kernels_bytes_of_the_original_weights(checkpoint: Path, tmp_path: Path) -> None:
    path = Conversion(checkpoint, tmp_path / "out.gguf")().path
    tensors = {tensor.name: tensor for tensor in GGUFReader(path).tensors}
    with open_local(checkpoint) as source:
        assert len(tensors) == len(source.tensors) == 2 + 9 * SHAPE.layers
        for wanted in source.tensors:
            kind = tensors[wanted.name].tensor_type.name
            rows = wanted.read_rows(0, wanted.rows)
            assert tensors[wanted.name].data.tobytes() == quantize_rows(rows, kind), wanted.name


def test_threads_and_the_size_of_the_pieces_do_not_change_a_byte(
    checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = Conversion(checkpoint, tmp_path / "one.gguf")().sha256
    monkeypatch.setattr("snug.convert.conversion.CHUNK_VALUES", 3 * 256)
    many = Conversion(checkpoint, tmp_path / "many.gguf", Settings("Q4_K_M", threads=3))
    assert many().sha256 == one


def test_a_gguf_keeps_its_metadata_and_says_its_new_type(tmp_path: Path) -> None:
    Conversion(PIP, tmp_path / "out.gguf", Settings("Q5_K_M"))()
    before, after = GGUFReader(PIP), GGUFReader(tmp_path / "out.gguf")
    changed = {"general.file_type", "general.quantization_version", "GGUF.kv_count", "GGUF.tensor_count"}
    assert after.fields["general.file_type"].contents() == 17
    assert set(before.fields) == set(after.fields)
    for name, entry in before.fields.items():
        if name not in changed:
            assert after.fields[name].contents() == entry.contents(), name


def test_tensors_that_keep_their_type_are_copied_and_not_rounded_again(tmp_path: Path) -> None:
    Conversion(PIP, tmp_path / "out.gguf", Settings("Q8_0"))()
    before = {tensor.name: tensor for tensor in GGUFReader(PIP).tensors}
    for tensor in GGUFReader(tmp_path / "out.gguf").tensors:
        assert tensor.tensor_type == before[tensor.name].tensor_type
        assert tensor.data.tobytes() == before[tensor.name].data.tobytes()


def test_a_split_gguf_becomes_one_file(tmp_path: Path) -> None:
    whole = Conversion(PIP, tmp_path / "whole.gguf", Settings("Q4_K_M"))()
    reader = GGUFReader(PIP)
    for number in (1, 2):
        writer = GGUFWriter(tmp_path / f"pip-{number:05d}-of-00002.gguf", "llama")
        if number == 1:
            for entry in reader.fields.values():
                if not entry.name.startswith("GGUF.") and entry.name != "general.architecture":
                    inner = entry.types[-1] if entry.types[0] is GGUFValueType.ARRAY else None
                    writer.add_key_value(entry.name, entry.contents(), entry.types[0], inner)
        writer.add_uint16("split.no", number - 1)
        writer.add_uint16("split.count", 2)
        writer.add_int32("split.tensors.count", len(reader.tensors))
        for tensor in reader.tensors[:9] if number == 1 else reader.tensors[9:]:
            writer.add_tensor(tensor.name, tensor.data, raw_dtype=tensor.tensor_type)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
    joined = Conversion(tmp_path / "pip-00002-of-00002.gguf", tmp_path / "joined.gguf", Settings("Q4_K_M"))()
    before = {tensor.name: tensor.data.tobytes() for tensor in GGUFReader(whole.path).tensors}
    after = GGUFReader(joined.path)
    assert {tensor.name: tensor.data.tobytes() for tensor in after.tensors} == before
    assert not any(name.startswith("split.") for name in after.fields)


def test_weights_with_too_few_bits_left_are_refused_before_anything_is_written(tmp_path: Path) -> None:
    figures = {tensor.name: np.ones(tensor.shape[0], np.float32) for tensor in GGUFReader(PIP).tensors}
    small = Conversion(PIP, tmp_path / "small.gguf", Settings("IQ2_XS", importance=figures))().path
    with pytest.raises(UserError) as caught:
        Conversion(small, tmp_path / "out.gguf")()
    assert caught.value.kind == "not-supported"
    assert names_in(tmp_path) == ["small.gguf"]


def test_c8_the_error_of_each_type_is_within_its_bound(tmp_path: Path) -> None:
    before = {t.name: dequantize(t.data, t.tensor_type) for t in GGUFReader(PIP).tensors}
    for mix, bound in {"Q6_K": 0.0006, "Q4_K_M": 0.009, "Q2_K": 0.09}.items():
        Conversion(PIP, tmp_path / f"{mix}.gguf", Settings(mix))()
        for tensor in GGUFReader(tmp_path / f"{mix}.gguf").tensors:
            wanted = before[tensor.name]
            error = np.square(dequantize(tensor.data, tensor.tensor_type) - wanted).sum() / np.square(wanted).sum()
            assert error <= bound, (mix, tensor.name, error)


@pytest.mark.parametrize("stop_after", [2, 9, 17])
def test_a_stopped_conversion_goes_on_and_gives_the_same_bytes(
    stop_after: int, checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("snug.convert.result_file._COMMIT_BYTES", 1)
    wanted = Conversion(checkpoint, tmp_path / "whole.gguf")().sha256
    conversion = Conversion(checkpoint, tmp_path / "out.gguf", stop_after=stop_after)
    with pytest.raises(Stopped):
        conversion()
    assert not conversion.out.exists()
    assert part_path(conversion.out).exists()
    conversion.stop_after = 1_000_000
    result = conversion()
    assert result.sha256 == wanted
    assert result.notes == tuple(note for note in result.notes if "begun anew" not in note)
    if stop_after > 2:
        assert result.resumed_from > 0
    assert names_in(tmp_path) == ["out.gguf", "whole.gguf"]


@pytest.mark.parametrize(("seconds", "is_safe"), [(0.0, True), (3600.0, False)])
def test_a_tensor_is_safe_after_some_seconds_however_small(
    seconds: float, is_safe: bool, checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A kill may cost seconds of work, not all of a small result: slow types make a megabyte a second."""
    monkeypatch.setattr("snug.convert.result_file._COMMIT_S", seconds)
    out, journaled = tmp_path / "out.gguf", []

    def look(report: Report) -> None:
        state = read_journal(journal_path(out))
        if report.stage == "converting" and state is not None:
            journaled.append(len(state.finished))

    with open_local(checkpoint) as source:
        convert(source, out, Settings("Q4_K_M"), on_progress=look, is_cancelled=lambda: False)
    assert journaled
    assert (max(journaled) > 1) == is_safe


def test_what_was_made_before_a_stop_is_kept(checkpoint: Path, tmp_path: Path) -> None:
    conversion = Conversion(checkpoint, tmp_path / "out.gguf", stop_after=9)
    with pytest.raises(Stopped):
        conversion()
    conversion.stop_after = 1_000_000
    assert conversion().resumed_from > 0


def test_another_type_begins_anew_and_says_so(
    checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("snug.convert.result_file._COMMIT_BYTES", 1)
    conversion = Conversion(checkpoint, tmp_path / "out.gguf", stop_after=12)
    with pytest.raises(Stopped):
        conversion()
    other = Conversion(checkpoint, tmp_path / "out.gguf", Settings("Q8_0"))()
    assert other.resumed_from == 0
    assert any("begun anew" in note for note in other.notes)
    assert other.sha256 == Conversion(checkpoint, tmp_path / "fresh.gguf", Settings("Q8_0"))().sha256


def test_a_changed_source_begins_anew(checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("snug.convert.result_file._COMMIT_BYTES", 1)
    source = write_checkpoint(tmp_path / "source", SHAPE, seed=1)
    conversion = Conversion(source, tmp_path / "out.gguf", stop_after=12)
    with pytest.raises(Stopped):
        conversion()
    write_checkpoint(source, SHAPE, seed=2)
    os.utime(source / "model.safetensors", ns=(1, 1))
    conversion.stop_after = 1_000_000
    result = conversion()
    assert result.resumed_from == 0
    assert result.sha256 == Conversion(source, tmp_path / "fresh.gguf")().sha256


def test_c6_a_source_that_changes_while_it_is_read_gives_no_result(tmp_path: Path) -> None:
    source = write_checkpoint(tmp_path / "source", SHAPE)

    class Touching(list[Report]):
        def append(self, report: Report) -> None:
            if len(self) == 5:
                os.utime(source / "model.safetensors", ns=(1, 1))
            super().append(report)

    conversion = Conversion(source, tmp_path / "out.gguf", reports=Touching())
    with pytest.raises(UserError) as caught:
        conversion()
    assert caught.value.kind == "source-changed"
    assert names_in(tmp_path) == ["source"]


def test_an_existing_file_is_never_overwritten(checkpoint: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.gguf"
    out.write_text("mine")
    with pytest.raises(UserError) as caught:
        Conversion(checkpoint, out)()
    assert caught.value.kind == "exists"
    assert out.read_text() == "mine"
    assert names_in(tmp_path) == ["out.gguf"]


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_weights_that_are_no_numbers_are_refused_with_the_tensors_name(value: float, tmp_path: Path) -> None:
    source = write_checkpoint(tmp_path / "source", SHAPE)
    path = source / "model.safetensors"
    raw = bytearray(path.read_bytes())
    (length,) = struct.unpack("<Q", raw[:8])
    place = json.loads(raw[8 : 8 + length])["model.layers.1.mlp.up_proj.weight"]["data_offsets"][0]
    at = 8 + length + place + 2 * (300 * 256 + 7)
    raw[at : at + 2] = struct.pack("<I", np.float32(value).view(np.uint32))[2:]
    path.write_bytes(raw)
    with pytest.raises(UserError) as caught:
        Conversion(source, tmp_path / "out.gguf")()
    assert caught.value.kind == "not-finite"
    assert "blk.1.ffn_up.weight" in caught.value.title
    assert not (tmp_path / "out.gguf").exists()


@pytest.mark.parametrize("type_name", ["F16", "Q4_K_M", "IQ3_S", "Q4_0"])
def test_values_too_large_for_the_type_are_refused_with_the_tensors_name(tmp_path: Path, type_name: str) -> None:
    source = write_checkpoint(tmp_path / "source", SHAPE)
    path = source / "model.safetensors"
    raw = bytearray(path.read_bytes())
    (length,) = struct.unpack("<Q", raw[:8])
    at = 8 + length + json.loads(raw[8 : 8 + length])["model.layers.0.mlp.up_proj.weight"]["data_offsets"][0]
    raw[at : at + 2] = struct.pack("<I", np.float32(1e20).view(np.uint32))[2:]
    path.write_bytes(raw)
    with pytest.raises(UserError) as caught:
        Conversion(source, tmp_path / "out.gguf", Settings(type_name))()
    assert caught.value.kind == "too-large"
    assert "blk.0.ffn_up.weight" in caught.value.title


def test_types_below_three_bits_ask_for_calibration_before_anything_is_written(
    checkpoint: Path, tmp_path: Path
) -> None:
    with pytest.raises(UserError) as caught:
        Conversion(checkpoint, tmp_path / "out.gguf", Settings("IQ2_XXS"))()
    assert caught.value.kind == "needs-importance"
    assert names_in(tmp_path) == []


def test_importance_reaches_the_kernels_each_experts_its_own(tmp_path: Path) -> None:
    figures = {"blk.0.ffn_up.weight": np.linspace(0.01, 4, 256, dtype=np.float32)}
    plain = Conversion(PIP, tmp_path / "plain.gguf")()
    weighted = Conversion(PIP, tmp_path / "weighted.gguf", Settings("Q4_K_M", importance=figures))()
    before = {tensor.name: tensor.data.tobytes() for tensor in GGUFReader(plain.path).tensors}
    after = {tensor.name: tensor.data.tobytes() for tensor in GGUFReader(weighted.path).tensors}
    assert {name for name in before if before[name] != after[name]} == set(figures)


def test_a_directory_that_is_none_and_a_file_that_is_none_are_told_in_words(tmp_path: Path) -> None:
    for name in ("nothing", "nothing.gguf"):
        with pytest.raises(UserError) as caught:
            open_local(tmp_path / name)
        assert caught.value.bad_input
    (tmp_path / "x.gguf").write_bytes(b"no model at all, though it is long enough")
    with pytest.raises(UserError) as caught:
        open_local(tmp_path / "x.gguf")
    assert caught.value.kind == "bad-gguf"


def test_a_failure_of_any_step_stops_the_others_and_is_raised() -> None:
    def fail(_: int) -> int:
        raise ZeroDivisionError

    written: list[int] = []
    for read, work, write in (
        (lambda: iter([1 // 0 if False else 1, 2]), fail, written.append),
        (lambda: (1 // value for value in (1, 0)), lambda value: value, written.append),
        (lambda: iter(range(100)), lambda value: value, fail),
    ):
        with pytest.raises(ZeroDivisionError):
            Pipeline(read, work, write, depth=1, is_cancelled=lambda: False).run()


def test_pieces_stay_in_order_and_a_cancelled_pipeline_says_so() -> None:
    written: list[int] = []
    Pipeline(lambda: iter(range(50)), lambda v: 2 * v, written.append, depth=2, is_cancelled=lambda: False).run()
    assert written == list(range(0, 100, 2))
    with pytest.raises(Stopped):
        Pipeline(lambda: iter(range(50)), lambda v: v, written.append, depth=1, is_cancelled=lambda: True).run()


def test_a_damaged_journal_costs_only_time(checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("snug.convert.result_file._COMMIT_BYTES", 1)
    wanted = Conversion(checkpoint, tmp_path / "whole.gguf")().sha256
    for damage in (b"", b"nonsense", None):
        conversion = Conversion(checkpoint, tmp_path / "out.gguf", stop_after=12)
        with pytest.raises(Stopped):
            conversion()
        journal = journal_path(conversion.out)
        journal.write_bytes(journal.read_bytes()[:-9] if damage is None else damage)
        conversion.stop_after = 1_000_000
        assert conversion().sha256 == wanted
        conversion.out.unlink()


def test_a_checkpoint_in_eight_bits_is_read_and_said_to_have_lost_bits(tmp_path: Path) -> None:
    source = write_checkpoint(tmp_path / "source", SHAPE)
    random, tensors = np.random.default_rng(3), dict[str, Tensor]()
    for name, shape in SHAPE.tensors().items():
        if "proj" in name:
            tensors[name] = ("F8_E4M3", random.integers(0, 0x7E, shape, np.uint8))
            tensors[f"{name}_scale"] = np.float32(0.01 + random.random())
        else:
            tensors[name] = random.standard_normal(shape).astype(np.float32)
    (source / "model.safetensors").write_bytes(safetensors({k: np.asarray(v) if isinstance(v, np.float32) else v
                                                            for k, v in tensors.items()}))  # fmt: skip
    config = json.loads((source / "config.json").read_text())
    config["quantization_config"] = {"quant_method": "fp8", "activation_scheme": "static"}
    (source / "config.json").write_text(json.dumps(config))
    with open_local(source) as opened:
        assert opened.loses_bits
        assert any("not regained" in words for words in warnings(opened))
    path = Conversion(source, tmp_path / "out.gguf", Settings("F32"))().path
    written = {tensor.name: tensor.data for tensor in GGUFReader(path).tensors}
    name = "model.layers.1.mlp.down_proj.weight"
    codes, scale = tensors[name][1], tensors[f"{name}_scale"]
    np.testing.assert_allclose(written["blk.1.ffn_down.weight"], E4M3[codes] * scale, rtol=1e-6)


def test_memory_does_not_grow_with_the_model(tmp_path: Path) -> None:
    peaks = []
    for number, rows in enumerate((2_000, 60_000)):
        shape = LlamaShape(layers=1, width=512, feed_forward=512, heads=8, kv_heads=8, vocabulary=rows)
        source = write_checkpoint(tmp_path / f"source-{number}", shape)
        tracemalloc.start()
        Conversion(source, tmp_path / f"{number}.gguf")()
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert max(peaks) < 200_000_000  # of which the larger model's embeddings alone would take 123 MB as float32
    assert peaks[1] < 130_000_000 + peaks[0]


def test_rows_that_are_no_multiple_of_256_are_said_and_counted_with_what_stands_in(
    checkpoint: Path, tmp_path: Path
) -> None:
    narrow = write_checkpoint(tmp_path / "narrow", replace(SHAPE, width=240, heads=4, kv_heads=2, feed_forward=496))
    changed = {}
    for folder in (checkpoint, narrow):
        with open_local(folder) as source:
            said = [words for words in warnings(source) if "blocks of 256" in words]
            assert len(said) == (folder == narrow)
            found = {choice.type_name: choice for choice in choices(source, 1)}
            changed[folder] = found["Q2_K"].words_changed
            assert found["Q2_K"].words_changed >= found["Q8_0"].words_changed
    assert changed[narrow] < 50  # nor are they multiples of 32: all stays at 16 bits
    assert changed[checkpoint] > 300
