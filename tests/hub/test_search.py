"""Search and model pages through the real client library, against a Hub that behaves, fails or lies."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from snug.core.errors import UserError
from snug.hub.library import wait_for
from snug.hub.model_page import MOST_CARD_BYTES, read_model_page
from snug.hub.remote import Access, Model, Page
from snug.hub.search import search
from tests.hub.blobs import Bytes
from tests.hub.conftest import QUICK, small_repository
from tests.hub.content import (
    Repository,
    gated_repository,
    hostile_repository,
    other_format_repository,
    pip_repository,
    safetensors_repository,
    split_repository,
    vision_repository,
)
from tests.hub.faults import Fault
from tests.hub.server import Hub


@pytest.fixture(scope="module")
def hub() -> Iterator[Hub]:
    repositories = [
        pip_repository(), split_repository(), vision_repository(), safetensors_repository(), other_format_repository(),
        gated_repository(), hostile_repository(), small_repository(),
        *(replace(small_repository(), name=f"many/model-{number:03}", downloads=number) for number in range(120)),
    ]  # fmt: skip
    with Hub(repositories) as running:
        yield running


@pytest.fixture(autouse=True)
def nothing_goes_wrong(hub: Hub) -> None:
    hub.faults.clear()
    hub.log.clear()


def names(models: list[Model]) -> list[str]:
    return [model.repo for model in models]


# --- search ------------------------------------------------------------------------------------------------------


def test_words_find_models_with_what_the_hub_knows_of_them(access: Access) -> None:
    (model,) = search(access, "vision pip")

    assert (model.repo, model.author, model.name) == ("snug-test/vision-pip-GGUF", "snug-test", "vision-pip-GGUF")
    assert (model.parameters, model.architecture, model.context) == (7_022_592, "llama", 1024)
    assert (model.licence, model.task, model.updated) == ("apache-2.0", "image-text-to-text", "2026-10-01")
    assert model.has_gguf
    assert not model.gated


@pytest.mark.parametrize(
    "text",
    [
        "snug-test/pip-7m-GGUF",
        "  snug-test/pip-7m-GGUF ",
        "https://huggingface.co/snug-test/pip-7m-GGUF",
        "https://huggingface.co/snug-test/pip-7m-GGUF/blob/main/pip-7m-Q8_0.gguf?download=true",
        "hf.co/snug-test/pip-7m-GGUF:Q4_K_M",
    ],
)
def test_a_link_or_a_full_name_finds_exactly_that_model(access: Access, text: str) -> None:
    assert names(search(access, text)) == ["snug-test/pip-7m-GGUF"]


def test_a_full_name_that_does_not_exist_is_searched_for(access: Access) -> None:
    assert names(search(access, "nobody/vision")) == []


def test_filters_reach_the_hub(access: Access) -> None:
    assert names(search(access, "pip", task="vision")) == ["snug-test/vision-pip-GGUF"]
    assert names(search(access, "pip", licence="cc0-1.0")) == ["snug-test/pip-7m-GGUF"]
    assert "snug-test/pip-7m-GPTQ" not in names(search(access, "pip"))
    assert "snug-test/pip-7m-GPTQ" in names(search(access, "pip", gguf_only=False))


def test_the_most_downloaded_come_first_over_several_pages(access: Access, hub: Hub) -> None:
    found = search(access, "many", limit=110)

    assert names(found)[:2] == ["many/model-119", "many/model-118"]
    assert len(found) == 110
    assert len(hub.log.entries()) == 3


def test_n17_no_more_than_200_results_are_ever_asked_for(access: Access) -> None:
    assert len(search(access, "", limit=10_000)) <= 200


def test_a_gated_model_says_so(access: Access) -> None:
    (model,) = search(access, "gated")
    assert model.gated


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Fault("status", where="api", status=429, headers={"Retry-After": "30"}), "rate-limited"),
        (Fault("status", where="api", status=500), "hub-trouble"),
        (Fault("status", where="api", status=503), "hub-trouble"),
        (Fault("status", where="api", status=418), "bad-answer"),
        (Fault("redirect-loop", where="api", times=0), "too-many-redirects"),
        (Fault("captive", where="api"), "captive-portal"),
        (Fault("json", where="api"), "bad-answer"),
        (Fault("silent", where="api"), "silent"),
    ],
    ids=lambda value: f"{value.kind}-{value.status}" if isinstance(value, Fault) else value,
)
def test_each_failure_of_a_search_has_its_kind_after_one_request(
    access: Access, hub: Hub, fault: Fault, kind: str
) -> None:
    hub.faults.add(fault)
    with pytest.raises(UserError) as caught:
        search(access, "pip", patience=replace(QUICK, answer_s=1.0))
    assert caught.value.kind == kind
    assert "Error" not in str(caught.value)
    if fault.kind != "redirect-loop":
        assert len(hub.log.entries()) == 1


def test_n10_an_expired_token_is_named(access: Access) -> None:
    with pytest.raises(UserError) as caught:
        read_model_page(replace(access, token="hf_expired"), "snug-test/pip-7m-GGUF")
    assert caught.value.kind == "token-refused"


def test_the_token_does_not_follow_a_link_to_another_host(access: Access, hub: Hub) -> None:
    headers = {"Link": f'<{hub.cdn}/api/models?cursor=2>; rel="next"', "Content-Type": "application/json"}
    hub.faults.add(Fault("status", where="api", status=200, headers=headers, body="[]"))
    with pytest.raises(UserError):
        search(replace(access, token="hf_granted"), "pip")

    assert [entry.authorised for entry in hub.log.entries(where="hub")] == [True]
    assert [entry.authorised for entry in hub.log.entries(where="cdn")] == [False]


def test_an_answer_without_end_is_cut_off(access: Access, hub: Hub) -> None:
    body = '[{"id": "' + "x" * (17 << 20) + '"}]'
    headers = {"Content-Type": "application/json"}
    hub.faults.add(Fault("status", where="api", status=200, headers=headers, body=body))
    with pytest.raises(UserError) as caught:
        search(access, "pip")
    assert caught.value.kind == "bad-answer"


any_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=12,
)
FIELDS = (
    "id", "downloads", "likes", "tags", "gguf", "safetensors", "cardData", "gated", "lastModified", "pipeline_tag",
    "siblings", "sha", "library_name", "config", "inferenceProviderMapping", "evalResults",
)  # fmt: skip
almost_a_model = st.fixed_dictionaries({"id": st.just("a/b") | any_json}, optional=dict.fromkeys(FIELDS[1:], any_json))


@settings(
    max_examples=1000 if os.environ.get("SNUG_FULL_TESTS") else 60, deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
@given(document=st.lists(almost_a_model, max_size=3) | any_json, is_page=st.booleans())
def test_n17_json_of_any_shape_gives_typed_results_or_words(
    access: Access, hub: Hub, document: Any, is_page: bool
) -> None:
    hub.faults.clear()
    if is_page and isinstance(document, list) and document:
        document = document[0]
    headers = {"Content-Type": "application/json"}
    hub.faults.add(Fault("status", where="api", status=200, headers=headers, body=json.dumps(document)))
    try:
        found: Page | list[Model] = read_model_page(access, "a/b") if is_page else search(access, "pip")
    except UserError as error:
        refusal = error.kind
    else:
        refusal = ""
        check_types(found)
    assert refusal in ("", "bad-answer", "gone")


def check_types(found: Page | list[Model]) -> None:
    models = [found.model] if isinstance(found, Page) else found
    for model in models:
        assert isinstance(model.repo, str)
        assert isinstance(model.downloads, int)
        assert all(isinstance(tag, str) for tag in model.tags)


# --- pages -------------------------------------------------------------------------------------------------------


def test_a_page_groups_its_files_and_is_pinned_to_a_commit(access: Access, hub: Hub) -> None:
    page = read_model_page(access, "snug-test/pip-7m-GGUF")

    assert page.revision == hub.repositories["snug-test/pip-7m-GGUF"].commit
    assert [(choice.title, choice.group) for choice in page.choices] == [
        ("Q4_0", "balanced"), ("Q4_K_M", "balanced"), ("Q5_K_M", "balanced"),
        ("Q8_0", "nearly_lossless"), ("F16", "nearly_lossless"),
    ]  # fmt: skip
    assert all(choice.files[0].sha256 and choice.size_bytes for choice in page.choices)
    assert page.base_model == "snug-test/pip-7m"


def test_a_split_model_is_one_item_and_a_missing_part_is_named(access: Access) -> None:
    whole, broken = read_model_page(access, "snug-test/split-pip-GGUF").choices

    assert (whole.complete, len(whole.files), whole.missing) == (True, 3, [])
    assert whole.size_bytes == sum(file.size_bytes for file in whole.files)
    assert (broken.complete, broken.missing) == (False, ["split-pip-F16-00002-of-00003.gguf"])


def test_a_projector_goes_along_with_each_file_and_is_no_choice_itself(access: Access) -> None:
    page = read_model_page(access, "snug-test/vision-pip-GGUF")

    assert [choice.title for choice in page.choices] == ["Q4_K_M", "Q8_0"]
    assert {choice.companions[0].name for choice in page.choices} == {"mmproj-vision-pip-F16.gguf"}


def test_other_formats_are_recognised(access: Access) -> None:
    assert read_model_page(access, "snug-test/pip-7m-GPTQ").other_format == "GPTQ"
    assert read_model_page(access, "snug-test/pip-7m").other_format == "safetensors"


def test_the_card_comes_without_its_front_matter_and_never_above_its_limit(access: Access, hub: Hub) -> None:
    card = read_model_page(access, "snug-test/pip-7m-GGUF").card
    assert card.startswith("# Pip\n")

    repository = small_repository()
    repository.files = {"README.md": Bytes("ä".encode() * MOST_CARD_BYTES, in_lfs=False)}
    hub.repositories["maker/long-card"] = replace(repository, name="maker/long-card")
    long_card = read_model_page(access, "maker/long-card").card
    assert len(long_card.encode()) == MOST_CARD_BYTES


def test_a_page_without_a_readable_card_still_lists_its_files(access: Access, hub: Hub) -> None:
    hub.faults.add(Fault("status", where="resolve", status=500))
    page = read_model_page(access, "snug-test/pip-7m-GGUF")
    assert page.card == ""
    assert page.choices


def test_hostile_file_names_have_plain_titles_and_control_characters_none(access: Access) -> None:
    page = read_model_page(access, "snug-test/hostile-GGUF")
    assert page.choices
    for choice in page.choices:
        assert choice.title.isprintable()
        assert "\n" not in choice.files[0].name


@pytest.mark.parametrize("repo", ["", "one-word", "../../etc", "a/b/c", "a b/c", "a/b\n", "https://x/y"])
def test_a_name_that_is_none_is_refused_without_a_request(access: Access, hub: Hub, repo: str) -> None:
    with pytest.raises(UserError) as caught:
        read_model_page(access, repo)
    assert caught.value.bad_input
    assert hub.log.entries() == []


def test_n15_a_model_that_is_gone_says_so(access: Access) -> None:
    with pytest.raises(UserError, match="nobody/nothing is not on Hugging Face"):
        read_model_page(access, "nobody/nothing")


# --- waiting -----------------------------------------------------------------------------------------------------


def test_n14_a_slow_answer_is_mentioned_once_and_still_comes(access: Access, hub: Hub) -> None:
    told: list[str] = []
    was_told = threading.Event()

    def tell() -> None:
        told.append("slow")
        was_told.set()

    def slow() -> str:
        was_told.wait()
        return "answer"

    patience = replace(QUICK, hint_s=0.05)
    answer = wait_for(slow, patience=patience, still_waiting=tell, check=lambda: None)

    assert (answer, told) == ("answer", ["slow"])


def test_waiting_can_be_stopped_while_the_hub_is_silent(access: Access, hub: Hub) -> None:
    class Stop(Exception):
        pass

    def stop() -> None:
        raise Stop

    hub.faults.add(Fault("silent", where="api"))
    with pytest.raises(Stop):
        wait_for(
            lambda: search(access, "pip", patience=replace(QUICK, answer_s=0.5)),
            patience=QUICK, still_waiting=lambda: None, check=stop,
        )  # fmt: skip


def test_a_search_that_was_left_behind_does_not_disturb_the_next(access: Access, hub: Hub) -> None:
    class Stop(Exception):
        pass

    def stop_when_asked() -> None:
        if hub.faults.struck > struck:
            raise Stop

    struck = hub.faults.struck
    patience = replace(QUICK, answer_s=1.5)
    hub.faults.add(Fault("silent", where="api"))
    with pytest.raises(Stop):
        wait_for(
            lambda: search(access, "pip", patience=patience),
            patience=patience, still_waiting=lambda: None, check=stop_when_asked,
        )  # fmt: skip
    until = time.monotonic() + 1.2 * patience.answer_s  # longer than the first one waits for its answer
    while time.monotonic() < until:
        assert names(search(access, "vision pip", patience=patience)) == ["snug-test/vision-pip-GGUF"]


def test_the_library_is_told_to_keep_quiet(access: Access) -> None:
    search(access, "pip")
    assert os.environ["HF_HUB_DISABLE_TELEMETRY"] == os.environ["HF_HUB_DISABLE_IMPLICIT_TOKEN"] == "1"
    assert "HF_TOKEN" not in os.environ


def test_repositories_of_the_test_hub_are_described_as_the_real_one_does(access: Access, hub: Hub) -> None:
    repository: Repository = hub.repositories["snug-test/pip-7m-GGUF"]
    assert len(repository.commit) == 40
