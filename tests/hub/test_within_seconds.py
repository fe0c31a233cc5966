"""Every failure of the network is put into words within 5 seconds, with the figures that Snug ships with."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from snug.core.errors import UserError
from snug.worker import protocol
from snug.worker.client import WorkerClient
from tests.hub.conftest import FILE, REPO, SIZE, described
from tests.hub.content import Repository
from tests.hub.faults import Fault
from tests.hub.server import Hub

WITHIN_S = 5.0


@pytest.fixture(scope="module")
def child(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WorkerClient]:
    with WorkerClient(tmp_path_factory.mktemp("logs")) as running:
        running.wait_ready()
        yield running


@pytest.fixture(scope="module")
def closed_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def first_words(child: WorkerClient, request: protocol.Request) -> tuple[str, str]:
    """The kind and the words that come first; the job is stopped after them. A silent child fails the test."""
    number = child.send(request)
    kind = words = ""
    while not words:
        event = child.next_frame(timeout=WITHIN_S).body
        if isinstance(event, protocol.Failed):
            return event.kind, f"{event.title} {event.advice}"
        if isinstance(event, protocol.DownloadProgress) and event.note:
            kind, words = event.kind, event.note
        elif isinstance(event, protocol.Progress) and event.doing:
            kind, words = "silent", event.doing
        assert not isinstance(event, protocol.FINAL_EVENTS), event
    child.cancel(number)
    while not isinstance(event, protocol.FINAL_EVENTS):
        event = child.next_frame(timeout=WITHIN_S).body
    return kind, words


def download_of(access: protocol.HubAccess, repository: Repository, folder: Path) -> protocol.Download:
    (file,) = described(repository, FILE)
    wanted = protocol.RemoteFile(name=FILE, size_bytes=SIZE, sha256=file.sha256)
    return protocol.Download(access=access, repo=REPO, revision="main", files=[wanted], folder=str(folder))


ROWS = [
    ("N1 lost", Fault("eof", at=SIZE // 2, times=0), "", "connection-lost"),
    (
        "N4 429",
        Fault("status", where="resolve", status=429, headers={"Retry-After": "60"}, times=0),
        "",
        "rate-limited",
    ),
    ("N5 500", Fault("status", where="resolve", status=500, times=0), "", "hub-trouble"),
    ("N5 503", Fault("status", where="cdn", status=503, times=0), "", "hub-trouble"),
    ("N6 loop", Fault("redirect-loop", where="resolve", times=0), "", "too-many-redirects"),
    ("N8 range", Fault("wrong-range", times=0), "", "restarting"),
    ("N9 damage", Fault("corrupt", at=9, times=0), "", "damaged"),
    ("N10 expired", None, "hf_expired", "token-refused"),
    ("N11 captive", Fault("captive", where="resolve", times=0), "", "captive-portal"),
    ("N11 pointer", Fault("pointer", times=0), "", "lfs-pointer"),
    ("N14 silent", Fault("silent", where="resolve", times=0), "", "silent"),
    ("N15 gone", Fault("status", where="resolve", status=404, times=0), "", "gone"),
]


@pytest.mark.parametrize(("row", "fault", "token", "kind"), ROWS, ids=[row[0] for row in ROWS])
def test_g12_downloads(
    child: WorkerClient, hub: Hub, repository: Repository, tmp_path: Path, row: str, fault: Fault | None,
    token: str, kind: str,
) -> None:  # fmt: skip
    if fault:
        hub.faults.add(fault)
    access = protocol.HubAccess(endpoint=hub.endpoint, token=token)

    found, words = first_words(child, download_of(access, repository, tmp_path))

    assert found == kind
    assert words.strip()


@pytest.mark.parametrize(
    ("endpoint", "proxy", "offline", "kind"),
    [
        ("http://hub.invalid", "", False, "no-dns"),
        ("http://127.0.0.1:CLOSED", "", False, "refused"),
        ("http://hub.example", "127.0.0.1:CLOSED", False, "proxy-refused"),
        ("http://hub.example", "", True, "offline"),
    ],
)
@pytest.mark.parametrize("what", ["search", "download"])
def test_g12_no_way_to_the_hub(
    child: WorkerClient, repository: Repository, tmp_path: Path, closed_port: int, what: str, endpoint: str,
    proxy: str, offline: bool, kind: str,
) -> None:  # fmt: skip
    access = protocol.HubAccess(
        endpoint=endpoint.replace("CLOSED", str(closed_port)),
        proxy=proxy.replace("CLOSED", str(closed_port)),
        offline=offline,
    )
    request = (
        protocol.SearchHub(access=access, text="pip") if what == "search" else download_of(access, repository, tmp_path)
    )
    assert first_words(child, request)[0] == kind


def test_g12_a_silent_search_says_so_and_can_be_left(child: WorkerClient, hub: Hub) -> None:
    hub.faults.add(Fault("silent", where="api", times=0))
    access = protocol.HubAccess(endpoint=hub.endpoint)

    words = first_words(child, protocol.SearchHub(access=access, text="pip"))[1]

    assert words == "127.0.0.1 does not answer yet. Still trying."


def test_g16_a_token_stands_in_no_environment_argument_or_log(hub: Hub, repository: Repository, tmp_path: Path) -> None:
    repository.gated, repository.granted = "manual", frozenset({"hf_granted"})
    access = protocol.HubAccess(endpoint=hub.endpoint, token="hf_granted")
    with WorkerClient(tmp_path / "logs") as client:
        client.request(download_of(access, repository, tmp_path), timeout=60)
        places = [Path(f"/proc/{client.pid}/{name}") for name in ("environ", "cmdline")]
        assert all(b"hf_granted" not in place.read_bytes() for place in places if place.exists())
    with WorkerClient(tmp_path / "logs") as client, pytest.raises(UserError) as caught:
        client.request(
            download_of(protocol.HubAccess(endpoint=hub.endpoint, token="hf_granted_not"), repository, tmp_path)
        )
    assert "hf_granted" not in f"{caught.value} {caught.value.details}"
    assert all(b"hf_granted" not in path.read_bytes() for path in (tmp_path / "logs").iterdir())
