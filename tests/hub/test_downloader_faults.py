"""Each way in which the network or the Hub fails during a download: what happens, and what the person reads."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import pytest

from snug.core.errors import UserError
from snug.hub.downloader import Paused
from snug.hub.patience import DEFAULT_PATIENCE, MIB
from snug.hub.remote import File
from tests.hub.blobs import Bytes, Filler
from tests.hub.conftest import FILE, REPO, SIZE, Fetcher, described, left_behind
from tests.hub.content import Repository, split_repository, vast_repository
from tests.hub.faults import Fault
from tests.hub.request_log import covered
from tests.hub.server import Hub
from tests.hub.test_downloader import StopAt, sha256_of


def failure_of(fetcher: Fetcher) -> UserError:
    with pytest.raises(UserError) as caught:
        fetcher()
    assert caught.value.title.endswith((".", "?"))
    assert "Error" not in str(caught.value)
    return caught.value


def arrives_whole(fetcher: Fetcher, repository: Repository) -> None:
    (fetched,) = fetcher()
    assert sha256_of(fetched.path) == repository.files[FILE].sha256
    assert left_behind(fetcher.order.folder) == []


# --- the way there and back again (N1, N2, N3) -------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["eof", "rst"])
@pytest.mark.parametrize("seed", range(4))
def test_n1_a_lost_connection_is_taken_up_where_it_broke(
    fetcher: Fetcher, hub: Hub, repository: Repository, kind: str, seed: int
) -> None:
    dice = random.Random(seed)
    for _ in range(3):
        hub.faults.add(Fault(kind, at=dice.randrange(SIZE)))

    arrives_whole(fetcher, repository)

    assert hub.faults.struck >= 1
    assert hub.log.bytes_sent_twice(f"{REPO}/{FILE}") <= 3 * MIB  # what lay in the buffers of a reset connection


def test_n1_the_person_is_told_that_snug_tries_again(fetcher: Fetcher, hub: Hub, repository: Repository) -> None:
    hub.faults.add(Fault("eof", at=SIZE // 2))

    arrives_whole(fetcher, repository)

    (report,) = [report for report in fetcher.reports if report.kind == "connection-lost"][:1]
    assert report.note == "The connection was lost. Trying again…"
    assert report.state == "waiting"


def test_n1_a_connection_that_never_holds_ends_in_words(fetcher: Fetcher, hub: Hub) -> None:
    hub.faults.add(Fault("status", status=502, times=0))

    assert failure_of(fetcher).kind == "hub-trouble"


def test_n2_a_standing_download_connects_again(fetcher: Fetcher, hub: Hub, repository: Repository) -> None:
    hub.faults.add(Fault("stall", at=SIZE // 3))

    arrives_whole(fetcher, repository)

    assert "stalled" in fetcher.kinds_told


def test_n2_a_download_that_stands_for_ever_is_paused_with_words(fetcher: Fetcher, hub: Hub) -> None:
    fetcher.patience = replace(fetcher.patience, stall_s=0.15)
    hub.faults.add(Fault("stall", at=SIZE // 3, times=0))

    assert failure_of(fetcher).kind == "stalled"
    assert left_behind(fetcher.order.folder) != []  # what arrived is kept for later


def test_n2_by_default_a_standing_download_is_noticed_within_35_s() -> None:
    assert DEFAULT_PATIENCE.stall_s <= 30
    assert DEFAULT_PATIENCE.tries == 6


def test_n3_a_very_slow_download_goes_on_and_says_how_long_it_takes(fetcher: Fetcher, hub: Hub) -> None:
    hub.faults.add(Fault("drip", rate=8000, times=0))

    with pytest.raises(Paused):
        fetcher(should_stop=lambda: len(fetcher.reports) > 12)

    assert fetcher.kinds_told == set()
    assert fetcher.reports[-1].done_bytes > 0
    assert fetcher.reports[-1].seconds_left > 60


# --- what the Hub says (N4, N5, N6, N7, N8) ----------------------------------------------------------------------


@pytest.mark.parametrize("where", ["resolve", "cdn"])
def test_n4_the_pause_that_the_hub_asks_for_is_kept(
    fetcher: Fetcher, hub: Hub, repository: Repository, where: str
) -> None:
    hub.faults.add(Fault("status", where=where, status=429, headers={"Retry-After": "1"}))

    arrives_whole(fetcher, repository)

    notes = [report.note for report in fetcher.reports if report.kind == "rate-limited"]
    assert notes[0].startswith("127.0.0.1 asks us to wait 1 second.")
    assert len(hub.log.entries(method="HEAD")) <= 2  # no hammering


def test_n4_a_very_long_pause_is_not_waited_for(fetcher: Fetcher, hub: Hub) -> None:
    hub.faults.add(Fault("status", where="resolve", status=429, headers={"Retry-After": "7200"}, times=0))

    assert failure_of(fetcher).title == "127.0.0.1 asks us to wait 7200 seconds."
    assert len(hub.log.entries()) == 1


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_n5_trouble_that_passes_is_waited_out(fetcher: Fetcher, hub: Hub, repository: Repository, status: int) -> None:
    hub.faults.add(Fault("status", where="resolve", status=status))
    hub.faults.add(Fault("status", where="cdn", status=status))

    arrives_whole(fetcher, repository)

    assert "hub-trouble" in fetcher.kinds_told


def test_n5_trouble_that_stays_ends_in_words(fetcher: Fetcher, hub: Hub) -> None:
    hub.faults.add(Fault("status", where="resolve", status=503, times=0))

    assert failure_of(fetcher).title == "127.0.0.1 has trouble at the moment."
    assert len(hub.log.entries()) == fetcher.patience.tries


def test_n6_a_circle_of_redirects_is_left(fetcher: Fetcher, hub: Hub) -> None:
    hub.faults.add(Fault("redirect-loop", where="resolve", times=0))

    assert failure_of(fetcher).kind == "too-many-redirects"
    assert len(hub.log.entries()) <= 11


def test_n6_a_circle_behind_the_first_answer_is_left(fetcher: Fetcher, hub: Hub) -> None:
    hub.faults.add(Fault("redirect-loop", where="cdn", times=0))

    assert failure_of(fetcher).kind == "too-many-redirects"


def test_n6_the_token_goes_to_the_hub_and_never_to_the_storage(
    fetcher: Fetcher, hub: Hub, repository: Repository
) -> None:
    repository.gated, repository.granted = "manual", frozenset({"hf_granted"})

    fetcher(access=replace(fetcher.order.access, token="hf_granted"))

    assert {entry.authorised for entry in hub.log.entries(where="hub")} == {True}
    assert {entry.authorised for entry in hub.log.entries(where="cdn")} == {False}


def test_n7_a_version_that_changes_in_the_middle_is_never_mixed(
    fetcher: Fetcher, hub: Hub, repository: Repository
) -> None:
    hub.rate = MIB // 4
    with pytest.raises(Paused):
        fetcher(files=(File(name=FILE, size_bytes=SIZE),), should_stop=StopAt(fetcher, SIZE // 2))
    repository.replace_file(FILE, Filler(SIZE, seed=99))
    hub.rate = 0
    plain_file = (File(name=FILE, size_bytes=SIZE),)

    with pytest.raises(UserError) as caught:
        fetcher(files=plain_file)
    assert caught.value.kind == "changed"

    (fetched,) = fetcher(files=plain_file, accept_new_version=True)
    assert sha256_of(fetched.path) == repository.files[FILE].sha256


def test_n7_a_version_that_changes_while_bytes_arrive_is_noticed(
    fetcher: Fetcher, hub: Hub, repository: Repository
) -> None:
    hub.rate = 2 * MIB
    fetcher.plan = replace(fetcher.plan, parallel=1)  # so that ranges are asked for after the change
    is_changed = []

    def change_in_the_middle() -> bool:
        if not is_changed and StopAt(fetcher, SIZE // 3)():
            is_changed.append(True)
            repository.replace_file(FILE, Filler(SIZE, seed=98))
            hub.rate = 0
        return False

    with pytest.raises(UserError) as caught:
        fetcher(should_stop=change_in_the_middle)
    assert caught.value.kind == "changed"
    assert not list(fetcher.order.folder.rglob("*.gguf"))


@pytest.mark.parametrize(
    "fault",
    [
        Fault("norange", times=0),
        Fault("norange"),
        Fault("wrong-range"),
        Fault("short", at=5000),
        Fault("long", at=5000),
        Fault("long", at=5000, times=0),
        Fault("no-commit", where="resolve", times=0),
    ],
    ids=lambda fault: f"{fault.kind}-{fault.times}",
)
def test_n8_wrong_lengths_and_ranges_do_not_reach_the_file(
    fetcher: Fetcher, hub: Hub, repository: Repository, fault: Fault
) -> None:
    hub.faults.add(fault)

    arrives_whole(fetcher, repository)


def test_n8_a_server_that_goes_on_lying_about_ranges_is_refused(fetcher: Fetcher, hub: Hub) -> None:
    hub.faults.add(Fault("wrong-range", times=0))

    assert failure_of(fetcher).kind == "bad-range"


def test_n8_a_storage_that_does_not_know_its_etag_again_costs_no_restart(
    fetcher: Fetcher, hub: Hub, repository: Repository
) -> None:
    fetcher.plan = replace(fetcher.plan, parallel=1)
    hub.faults.add(Fault("no-condition", times=0))

    arrives_whole(fetcher, repository)

    assert "restarting" not in fetcher.kinds_told


# --- what arrives (N9, N11) --------------------------------------------------------------------------------------


def test_n9_a_damaged_file_is_fetched_once_more(fetcher: Fetcher, hub: Hub, repository: Repository) -> None:
    hub.faults.add(Fault("corrupt", at=SIZE - 1, bit=7))

    arrives_whole(fetcher, repository)

    notes = {report.note for report in fetcher.reports if report.kind == "damaged"}
    assert notes == {"The file arrived damaged. Downloading it again…"}


def test_n9_a_source_that_is_damaged_itself_is_named_and_nothing_is_kept(fetcher: Fetcher, hub: Hub) -> None:
    hub.faults.add(Fault("corrupt", at=1000, times=0))

    assert failure_of(fetcher).kind == "source-damaged"
    assert [path for path in fetcher.order.folder.rglob("*") if path.is_file()] == []


def test_g7_each_of_a_hundred_single_bit_errors_is_found(hub: Hub, fetcher: Fetcher, tmp_path: Path) -> None:
    name, size = "small-Q4_0.gguf", 4096
    repository = Repository("maker/small", {name: Bytes(Filler(size, seed=3).read(0, size))}, tags=["gguf"])
    hub.repositories[repository.name] = repository
    dice = random.Random(7)
    fetcher.order = replace(fetcher.order, repo=repository.name, files=described(repository, name))
    for number in range(100):
        hub.faults.clear()
        hub.faults.add(Fault("corrupt", at=dice.randrange(size), bit=dice.randrange(8), times=2))
        fetcher.order = replace(fetcher.order, folder=tmp_path / str(number))
        assert failure_of(fetcher).kind == "source-damaged"
        assert not list(fetcher.order.folder.rglob("*.gguf"))


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Fault("captive", where="resolve", times=0), "captive-portal"),
        (Fault("captive", where="cdn", times=0), "captive-portal"),
        (Fault("json", where="cdn", times=0), "captive-portal"),
        (Fault("pointer", where="cdn", times=0), "lfs-pointer"),
    ],
    ids=lambda value: getattr(value, "kind", value),
)
def test_n11_what_is_no_model_is_recognised(fetcher: Fetcher, hub: Hub, fault: Fault, kind: str) -> None:
    hub.faults.add(fault)

    assert failure_of(fetcher).kind == kind
    assert not list(fetcher.order.folder.rglob("*.gguf"))


# --- who may, and whether it is there (N10, N14, N15, N16, N18) -----------------------------------------------------


@pytest.mark.parametrize(
    ("token", "kind"),
    [("", "needs-token"), ("hf_stranger", "needs-access"), ("hf_expired", "token-refused"), ("hf_granted", "")],
)
def test_n10_a_gated_model_says_what_to_do(
    fetcher: Fetcher, hub: Hub, repository: Repository, token: str, kind: str
) -> None:
    repository.gated, repository.granted = "manual", frozenset({"hf_granted"})
    fetcher.order = replace(fetcher.order, access=replace(fetcher.order.access, token=token))

    if kind:
        assert failure_of(fetcher).kind == kind
    else:
        arrives_whole(fetcher, repository)


def test_n10_a_token_without_the_right_scope_is_told_apart(fetcher: Fetcher, hub: Hub) -> None:
    fetcher.order = replace(fetcher.order, access=replace(fetcher.order.access, token="hf_granted"))
    hub.faults.add(Fault("status", where="resolve", status=403, headers={"X-Error-Message": "fine-grained token"}))

    assert failure_of(fetcher).kind == "token-scope"


def test_n14_a_silent_hub_is_mentioned_while_snug_goes_on_trying(
    fetcher: Fetcher, hub: Hub, repository: Repository
) -> None:
    fetcher.patience = replace(fetcher.patience, hint_s=0.1, answer_s=0.3)
    hub.faults.add(Fault("silent", where="resolve"))

    arrives_whole(fetcher, repository)

    notes = [report.note for report in fetcher.reports if report.kind == "silent"]
    assert notes[0] == "127.0.0.1 does not answer yet. Still trying…"


def test_n14_a_hub_that_stays_silent_ends_in_words(fetcher: Fetcher, hub: Hub) -> None:
    fetcher.patience = replace(fetcher.patience, hint_s=0.1, answer_s=0.1)
    hub.faults.add(Fault("silent", where="resolve", times=0))

    assert failure_of(fetcher).title == "127.0.0.1 does not answer."
    assert DEFAULT_PATIENCE.hint_s < 5


def test_n15_a_file_that_was_removed_is_told_from_a_repository_that_was(
    fetcher: Fetcher, hub: Hub, repository: Repository
) -> None:
    removed = dict(repository.files)
    del removed[FILE]
    repository.files = removed
    assert failure_of(fetcher).title.startswith("This file is not on Hugging Face")

    del hub.repositories[REPO]
    assert failure_of(fetcher).title.startswith(f"{REPO} is not on Hugging Face")


def test_n15_a_renamed_repository_is_followed(fetcher: Fetcher, hub: Hub, repository: Repository) -> None:
    hub.repositories["maker/new-name"] = replace(repository, name="maker/new-name")
    repository.renamed_to = "maker/new-name"

    arrives_whole(fetcher, repository)


def test_n16_going_offline_and_back_keeps_the_position(fetcher: Fetcher, hub: Hub, repository: Repository) -> None:
    hub.rate = MIB // 4
    with pytest.raises(Paused):
        fetcher(should_stop=StopAt(fetcher, SIZE // 2))
    asked = 1 + 2 * fetcher.plan.parallel
    hub.log.wait_for(asked)
    online = fetcher.order.access
    fetcher.order = replace(fetcher.order, access=replace(online, offline=True))
    assert failure_of(fetcher).kind == "offline"
    assert len(hub.log.entries()) == asked

    hub.rate = 0
    fetcher.order = replace(fetcher.order, access=online)
    hub.log.clear()
    arrives_whole(fetcher, repository)
    assert covered(hub.log.sent_ranges(f"{REPO}/{FILE}")) < 3 * SIZE // 4


def test_n18_a_file_of_60_gb_starts_with_ranges_and_takes_no_room_in_advance(
    fetcher: Fetcher, hub: Hub, tmp_path: Path
) -> None:
    vast = vast_repository()
    hub.repositories[vast.name] = vast
    hub.rate = MIB
    fetcher.plan = replace(fetcher.plan, spare_share=-1.0)  # this computer need not have 60 GB free
    with pytest.raises(Paused):
        fetcher(
            repo=vast.name, files=described(vast, "vast-Q8_0.gguf"),
            should_stop=lambda: bool(fetcher.reports) and fetcher.reports[-1].done_bytes > 200_000,
        )  # fmt: skip

    hub.log.wait_for(4, where="cdn")
    assert all(entry.range for entry in hub.log.entries(where="cdn"))
    (part,) = tmp_path.rglob("*.part")
    assert part.stat().st_blocks * 512 < 64 * MIB


def test_n18_a_part_that_vanished_leaves_no_half_model(fetcher: Fetcher, hub: Hub) -> None:
    split = split_repository()
    hub.repositories[split.name] = split
    names = sorted(name for name in split.files if name.startswith("Q8_0/"))
    files = described(split, *names)
    split.files = {name: blob for name, blob in split.files.items() if name != names[1]}
    fetcher.order = replace(fetcher.order, repo=split.name, files=files)

    assert failure_of(fetcher).kind == "gone"
    assert not list(fetcher.order.folder.rglob("*.gguf"))
