"""The words, curve and table of Make it fit."""

from __future__ import annotations

import msgspec
import pytest

from snug.core.errors import UserError
from snug.core.fit import FitSettings
from snug.core.machine import Machine, Memory
from snug.core.memory_fit import fit
from snug.core.model_facts import ModelFacts
from snug.ui import make_it_fit_words as words
from snug.ui.conversion_source import FINISHED_FILE, source_of, source_text
from snug.worker.conversion_messages import (
    ConversionCheck,
    ConversionChoice,
    ConversionDone,
    ConversionPreviewed,
    ConversionProgress,
)
from snug.worker.message import HubAccess

GB = 10**9
SIZES = {"Q2_K": 1.6, "Q3_K_M": 2.0, "Q4_K_M": 2.5, "Q6_K": 3.3, "Q8_0": 4.3, "BF16": 8.1}
CHANGED = {"Q2_K": 60, "Q3_K_M": 25, "Q4_K_M": 8, "Q6_K": 2, "Q8_0": 0.6, "BF16": 0}
MACHINE = Machine(memory=Memory(total=8 * GB, available=6 * GB, bandwidth=40e9))


def facts(gigabytes: float) -> ModelFacts:
    size = round(gigabytes * GB)
    return ModelFacts(
        name="Test", architecture="llama", file_type="Q4_K_M", parameters=4 * 10**9, weight_bytes=size, layers=32,
        embedding_length=2560, vocabulary=32000, context_max=32768, attention_heads=32, kv_heads=(8,) * 32,
        head_dims_k=(80,) * 32, head_dims_v=(80,) * 32, file_bytes=size,
    )  # fmt: skip


def choices() -> list[ConversionChoice]:
    return [
        ConversionChoice(
            type_name=name, size_bytes=round(size * GB), facts=facts(size), seconds=180, words_changed=CHANGED[name],
            tensor_types={"Q4_K": 108, "Q6_K": 33, "F32": 65},
        )
        for name, size in SIZES.items()
    ]  # fmt: skip


def preview(**more: object) -> ConversionPreviewed:
    return ConversionPreviewed(
        title="Test", sentence="A chat model with 4 billion weights.", kind="plain", parameters=4 * GB,
        stored_bytes=8 * GB, choices=choices(), original_type="BF16", **more,
    )  # fmt: skip


def test_the_slider_names_each_kind_of_size_once_from_smallest_to_original():
    labels = words.slider_labels(choices(), "BF16")
    assert [label["text"] for label in labels] == ["Smallest", "Compact", "Balanced", "Nearly lossless", "Original"]
    assert labels[0]["place"] == 0
    assert labels[-1]["place"] == 1


def test_the_last_word_stands_at_the_end_of_the_slider():
    few = choices()[:4]
    labels = words.slider_labels([few[0], *few[1:2] * 3], "")
    assert [(label["text"], label["first"], label["last"], label["place"]) for label in labels] == [
        ("Smallest", 0, 0, 0),
        ("Compact", 1, 3, 1),
    ]
    assert [label["place"] for label in words.slider_labels(few[:1], "")] == [0]


def test_what_one_gets_says_size_speed_pages_and_words_that_stay_the_same():
    choice = choices()[2]
    rows = {row["name"]: row["value"] for row in words.figures(choice, fit(choice.facts, FitSettings(), MACHINE))}
    assert rows["On disk"] == "2.5 GB"
    assert rows["Against the original"] == "992 of 1,000 words the same"
    assert "words a second" in rows["Speed"]
    assert "pages" in rows["Remembers"]


def test_a_file_that_is_too_big_promises_no_speed():
    choice = choices()[-1]
    rows = {row["name"]: row["value"] for row in words.figures(choice, fit(choice.facts, FitSettings(), MACHINE))}
    assert rows["Speed"] == "does not run here"
    assert "First word, for a page" not in rows


@pytest.mark.parametrize(
    ("changed", "said"), [(-1, "not known yet"), (0, "the same words"), (6.4, "994 of 1,000 words the same")]
)
def test_the_loss_in_words(changed, said):
    assert words.loss_words(changed) == said


def test_the_curve_lies_inside_its_axes_and_the_measured_point_above_its_size():
    curve = words.curve_of(choices(), {"Q4_K_M": 12.0})
    assert len(curve.points) == 6
    assert all(0 <= point["x"] <= 1 and 0 <= point["y"] <= 1 for point in [*curve.points, *curve.measured])
    assert curve.measured[0]["x"] == curve.points[2]["x"]
    assert curve.measured[0]["y"] > curve.points[2]["y"]
    assert curve.rows[-1]["y"] == 1
    assert 2 <= len(curve.rows) <= 6
    assert 2 <= len(curve.columns) <= 8


def test_without_known_losses_there_is_no_curve():
    assert not words.curve_of(choices()[:1], {}).points


def test_too_big_begins_between_the_last_that_fits_and_the_first_that_does_not():
    fits = [fit(choice.facts, FitSettings(), MACHINE) for choice in choices()]
    begins = words.too_big_from(choices(), fits)
    curve = words.curve_of(choices(), {})
    assert curve.points[4]["x"] < begins < curve.points[5]["x"]


def test_nothing_is_too_big_for_a_large_computer():
    large = Machine(memory=Memory(total=64 * GB, available=60 * GB, bandwidth=40e9))
    assert words.too_big_from(choices(), [fit(choice.facts, FitSettings(), large) for choice in choices()]) > 1


def test_the_sentence_says_what_is_fetched_and_how_long_it_takes():
    said = words.source_sentence(preview(fetch_bytes=8 * GB), choices()[2])
    assert said == "A chat model with 4 billion weights. 8.0 GB to fetch, then about 3 minutes to make."


def test_calibration_adds_its_time():
    alone, longer = (words.source_sentence(preview(), choices()[2], seconds) for seconds in (0.0, 4000.0))
    assert alone != longer
    assert longer.endswith("About an hour to make.")


def test_a_stop_that_just_fits_lies_between_its_neighbours():
    found = words.made_to_measure(choices(), 2_900_000_000)
    assert [choice.type_name for choice in found].index(words.MADE_TO_MEASURE) == 3
    between = found[3]
    assert between.facts.file_bytes == between.size_bytes == 2_900_000_000
    assert CHANGED["Q6_K"] < between.words_changed < CHANGED["Q4_K_M"]
    assert "Just fits" in [label["text"] for label in words.slider_labels(found, "BF16")]


@pytest.mark.parametrize("size", [0, 10**8, 2_510_000_000, 10**11])
def test_no_stop_is_added_beside_one_of_the_same_size_or_outside_of_all(size):
    assert words.made_to_measure(choices(), size) == choices()


def test_a_disk_without_room_is_named_before_the_start():
    small, choice = preview(free_bytes=2 * GB, working_bytes=GB), choices()[2]
    assert words.room_problem(small, words.making_bytes(small, choice, False)).startswith("The disk has 2.0 GB")
    large = preview(free_bytes=9 * GB, working_bytes=GB)
    assert words.room_problem(large, words.making_bytes(large, choice, False)) == ""
    assert words.room_problem(large, words.making_bytes(large, choice, True)), "the original in 16 bits lies there too"


def test_what_comparing_costs_is_said_before():
    assert words.comparing_words(preview(fetch_bytes=8 * GB, working_bytes=4 * GB)).startswith(
        "Comparing fetches 8.0 GB again and needs 12 GB"
    )
    assert words.comparing_words(preview()) == "Comparing needs 8.0 GB of disk for a while."


def test_how_many_checks_are_right_is_counted_without_those_that_had_nothing_to_look_at():
    right, empty = (
        ConversionCheck(name="a", ok=True, words=""),
        ConversionCheck(name="b", ok=True, words="", is_done=False),
    )
    wrong = ConversionCheck(name="c", ok=False, words="")
    assert words.checks_words([right, right]) == "All 2 checks are right."
    assert words.checks_words([right, empty]) == "1 check is right, 1 could not be made."
    assert words.checks_words([right, empty, wrong]) == "1 of 3 checks found something: see below."
    assert words.checks_words([]) == ""


def test_a_second_file_of_the_same_name_gets_a_number():
    assert words.file_name("a/My Model", "Q4_K_M", 2) == "My-Model-Q4_K_M-2.gguf"


def test_progress_says_stage_share_and_time_left():
    progress = ConversionProgress(stage="converting", done_bytes=GB, total_bytes=4 * GB, seconds_left=90)
    assert words.progress_words(progress) == "Making the file · 1.0 GB of 4.0 GB · about 2 minutes left"


def test_the_result_stands_beside_the_prediction():
    choice = choices()[2]
    predicted = fit(choice.facts, FitSettings(), MACHINE)
    done = ConversionDone(
        path="/x.gguf", size_bytes=2510 * 10**6, sha256="", type_name="Q4_K_M", facts=choice.facts, seconds=200,
        words_changed=9,
    )  # fmt: skip
    rows = {row["name"]: (row["before"], row["after"]) for row in words.result_rows(done, choice, predicted, predicted)}
    assert rows["On disk"] == ("2.5 GB", "2.5 GB")
    assert rows["Against the original"] == ("992 of 1,000 words the same", "991 of 1,000 words the same")
    assert rows["Memory"][0] == rows["Memory"][1]


@pytest.mark.parametrize("title", ["../../etc/passwd", "a/b:c*d?", "", "Ω≈ç√", "x" * 500])
def test_the_file_name_is_plain_and_stays_in_its_folder(title):
    name = words.file_name(title, "Q4_K_M")
    assert "/" not in name
    assert name.endswith("-Q4_K_M.gguf")
    assert len(name) < 120
    assert not name.startswith(".")


ACCESS = HubAccess()


@pytest.mark.parametrize(
    ("text", "repo", "revision"),
    [
        ("Qwen/Qwen3-4B", "Qwen/Qwen3-4B", "main"),
        ("https://huggingface.co/Qwen/Qwen3-4B", "Qwen/Qwen3-4B", "main"),
        ("huggingface.co/Qwen/Qwen3-4B/tree/v2", "Qwen/Qwen3-4B", "v2"),
        (" hf.co/Qwen/Qwen3-4B/ ", "Qwen/Qwen3-4B", "main"),
    ],
)
def test_a_page_of_the_hub_is_a_source(text, repo, revision):
    source = source_of(text, ACCESS)
    assert (source.repo, source.revision, source.path) == (repo, revision, "")


def test_a_folder_is_a_source(tmp_path):
    assert source_of(f' "{tmp_path}" ', ACCESS).path == str(tmp_path)
    assert source_text(str(tmp_path)) == tmp_path.name


@pytest.mark.parametrize("text", ["hello", "https://example.com/a/b", "a b/c", "huggingface.co/only", "http://["])
def test_what_names_no_model_is_refused_in_words(text):
    with pytest.raises(UserError) as caught:
        source_of(text, ACCESS)
    assert caught.value.bad_input


@pytest.mark.parametrize(
    ("text", "words", "kind"),
    [
        ("https://huggingface.co/datasets/maker/facts", "a data set", "no-source"),
        ("https://huggingface.co/spaces/maker/app", "an app", "no-source"),
        ("https://example.org/maker/model", "example.org", "no-source"),
        ("https://hf.co/maker/model/blob/main/model-Q4_K_M.gguf?download=true", "finished file", FINISHED_FILE),
        ("huggingface.co", "names no model", "no-source"),
    ],
)
def test_an_address_that_leads_to_no_weights_is_said_what_it_is(text, words, kind):
    with pytest.raises(UserError) as caught:
        source_of(text, ACCESS)
    assert words in caught.value.title
    assert caught.value.advice
    assert caught.value.kind == kind


def test_a_link_to_one_of_the_weights_files_means_the_whole_model():
    link = "https://huggingface.co/maker/model/blob/refs%2Fpr%2F1/model-00001-of-00002.safetensors?download=true"
    source = source_of(f"  <{link}> ", ACCESS)
    assert (source.repo, source.revision) == ("maker/model", "refs/pr/1")


def test_a_model_on_another_hub_keeps_its_name():
    assert source_text("https://hub.example/maker/model/tree/main", "https://hub.example") == "maker/model"


def test_a_dropped_file_address_is_a_path():
    assert source_of("file:///tmp/a%20model", ACCESS).path == "/tmp/a model"


def test_a_finished_file_is_not_offered_as_a_larger_one():
    finished = msgspec.structs.replace(preview(), kind="gguf", stored_bytes=round(2.5 * GB))
    assert [choice.type_name for choice in words.offered(finished, False)] == ["Q2_K", "Q3_K_M", "Q4_K_M"]
