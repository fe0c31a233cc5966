"""Headers of remote files: right, cheap, and honest about servers that do not do ranges."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from snug.core.errors import UserError
from snug.formats.gguf_facts import facts_from_header
from snug.formats.gguf_header import read_file_header
from snug.hub.kept_headers import MOST_KEPT, keep_headers
from snug.hub.network import open_client
from snug.hub.patience import MIB
from snug.hub.remote import Access, File
from snug.hub.remote_header import RemoteSource, read_remote_facts
from snug.hub.source import address_of
from tests.hub.blobs import Filler
from tests.hub.conftest import QUICK, described
from tests.hub.content import Repository, large_repository, split_repository
from tests.hub.faults import Fault
from tests.hub.pip_variants import PIP
from tests.hub.server import Hub

NAME = "large-pip-Q8_0.gguf"


@pytest.fixture(scope="module")
def hub() -> Iterator[Hub]:
    noise = Repository("maker/noise", {"noise.gguf": Filler(5_000_000)}, tags=["gguf"])
    with Hub([large_repository(), split_repository(), noise]) as running:
        yield running


@pytest.fixture(autouse=True)
def nothing_goes_wrong(hub: Hub) -> None:
    hub.faults.clear()
    hub.log.clear()


@pytest.fixture
def large(hub: Hub) -> tuple[File, ...]:
    return described(hub.repositories["snug-test/large-pip-GGUF"], NAME)


def test_the_remote_header_says_what_the_local_one_says(access: Access, large: tuple[File, ...]) -> None:
    found = read_remote_facts(access, "snug-test/large-pip-GGUF", "main", large)

    local = facts_from_header(read_file_header(Path(PIP)), large[0].size_bytes)
    assert found.facts == local
    assert 0 < found.fetched_bytes <= 2 * MIB
    assert found.kept == ()


def test_the_header_is_kept_byte_for_byte(access: Access, large: tuple[File, ...], tmp_path: Path) -> None:
    found = read_remote_facts(access, "snug-test/large-pip-GGUF", "main", large, keep_in=tmp_path / "headers")

    whole = Path(PIP).read_bytes()[: read_file_header(Path(PIP)).data_offset]
    ((place, size),) = found.kept
    assert place.read_bytes() == whole
    assert size == large[0].size_bytes
    assert found.fetched_bytes <= 2 * MIB


def test_what_was_skipped_is_fetched_for_the_kept_header(access: Access, hub: Hub, large: tuple[File, ...]) -> None:
    address = address_of(access, "snug-test/large-pip-GGUF", "main", NAME)
    with open_client(access, QUICK) as client:
        source = RemoteSource(client, access, address, large[0].size_bytes)
        source.read(600_000, 10)
        assert source.beginning(700_000) == Path(PIP).read_bytes()[:700_000]


def test_only_the_newest_headers_are_kept(tmp_path: Path) -> None:
    for number in range(MOST_KEPT + 3):
        digest = f"{number:040}"
        path = keep_headers(tmp_path, {digest: b"header"})[digest]
        os.utime(path, (number, number))
    assert sorted(item.name for item in tmp_path.iterdir())[0] == f"{3:040}.header"
    assert len(list(tmp_path.iterdir())) == MOST_KEPT


def test_all_headers_of_one_model_are_kept_however_many(tmp_path: Path) -> None:
    keep_headers(tmp_path, {"0" * 40: b"another model's"})
    places = keep_headers(tmp_path, {f"{number:040}": b"part" for number in range(1, MOST_KEPT + 6)})
    assert sorted(tmp_path.iterdir()) == sorted(places.values())


def test_a_header_that_cannot_be_kept_is_no_failure(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_bytes(b"")
    assert keep_headers(blocked / "headers", {"a" * 64: b"header"}) == {}


def test_a_split_model_is_read_from_all_its_parts(access: Access, hub: Hub, tmp_path: Path) -> None:
    repository = hub.repositories["snug-test/split-pip-GGUF"]
    names = sorted(name for name in repository.files if name.startswith("Q8_0/"))

    files = described(repository, *names)
    found = read_remote_facts(access, repository.name, "main", files, keep_in=tmp_path)

    assert [size for _, size in found.kept] == [file.size_bytes for file in files]
    assert all(path.read_bytes()[:4] == b"GGUF" for path, _ in found.kept)
    assert found.facts.parameters == facts_from_header(read_file_header(Path(PIP))).parameters


def test_a_server_without_ranges_is_read_from_its_start(access: Access, hub: Hub, large: tuple[File, ...]) -> None:
    hub.faults.add(Fault("norange", times=0))
    with pytest.raises(UserError) as caught:  # the header is longer than the first piece, and the next cannot be had
        read_remote_facts(access, "snug-test/large-pip-GGUF", "main", large)
    assert caught.value.kind == "bad-answer"


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Fault("wrong-range"), "bad-answer"),
        (Fault("captive", where="cdn"), "captive-portal"),
        (Fault("status", status=503), "hub-trouble"),
        (Fault("silent"), "silent"),
        (Fault("eof", at=1000), "connection-lost"),
        (Fault("redirect-loop", where="resolve", times=0), "too-many-redirects"),
    ],
    ids=lambda value: value.kind if isinstance(value, Fault) else value,
)
def test_failures_have_their_kinds(access: Access, hub: Hub, large: tuple[File, ...], fault: Fault, kind: str) -> None:
    hub.faults.add(fault)
    with pytest.raises(UserError) as caught:
        read_remote_facts(access, "snug-test/large-pip-GGUF", "main", large, replace(QUICK, answer_s=0.3))
    assert caught.value.kind == kind


def test_what_is_no_gguf_is_refused_after_the_first_piece(access: Access, hub: Hub) -> None:
    files = described(hub.repositories["maker/noise"], "noise.gguf")
    with pytest.raises(UserError) as caught:
        read_remote_facts(access, "maker/noise", "main", files)
    assert caught.value.kind == "bad-gguf"
    assert len(hub.log.entries(where="cdn")) <= 2
