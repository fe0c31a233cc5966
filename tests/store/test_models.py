"""The library: states of files, and a removal that deletes only what Snug fetched."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from snug.core.errors import UserError
from snug.core.model_facts import ModelFacts
from snug.formats.gguf_facts import facts_from_header
from snug.formats.gguf_header import read_file_header
from snug.paths import Paths, resources_folder
from snug.store import NewDownload, NewModel, RemoteFileRow, Store
from snug.store.built_in import built_in_facts
from snug.store.rows import BUILT_IN

Make = Callable[..., NewModel]


def test_pip_is_in_the_library_from_the_start_and_stays(opened: Callable[[], Store]) -> None:
    (pip,) = opened().models.all()
    assert (pip.name, pip.source, pip.is_ours, pip.state) == ("Pip, a tiny test model", BUILT_IN, False, "ready")
    assert pip.facts.parameters == 6_950_144
    with pytest.raises(UserError) as caught:
        opened().models.remove(pip.id)
    assert caught.value.kind == "built-in"
    assert [model.id for model in opened().models.all()] == [pip.id]


def test_pip_of_another_installation_is_the_same_row(opened: Callable[[], Store]) -> None:
    store = opened()
    (pip,) = store.models.all()
    store.database.raw.execute("UPDATE models SET path = '/opt/old/pip.gguf'")
    (now,) = opened().models.all()
    assert (now.id, now.path, now.state) == (pip.id, pip.path, "ready")


def test_a_model_is_there_after_a_restart(opened: Callable[[], Store], model_file: Make, facts: ModelFacts) -> None:
    store = opened()
    added = store.models.add(model_file("one"))
    store.models.touch(added.id)
    store.models.record_speed(added.id, 12.5)
    store.models.rename(added.id, "  My   model ")
    found = opened().models.get(added.id)
    assert found is not None
    assert (found.name, found.measured_tokens_per_s, found.state, found.size_bytes) == ("My model", 12.5, "ready", 4096)
    assert found.facts == facts
    assert found.last_used_at is not None


def test_the_same_path_twice_is_one_model(store: Store, model_file: Make) -> None:
    first = store.models.add(model_file("one"))
    second = store.models.add(replace(model_file("one", size=5000), name="better"))
    assert (second.id, second.name, second.size_bytes) == (first.id, "better", 5000)


def test_the_size_of_a_split_model_is_that_of_all_its_parts(store: Store, model_file: Make) -> None:
    first, second = model_file("a-00001-of-00002", size=100), model_file("a-00002-of-00002", size=50)
    model = store.models.add(replace(first, parts=(first.path, second.path)))
    assert model.size_bytes == 150
    os.unlink(second.path)
    (changed,) = store.models.refresh_states()
    assert changed.state == "missing"


@pytest.mark.parametrize(
    ("change", "state"),
    [
        (lambda path: path.unlink(), "missing"),
        (lambda path: path.parent.rename(path.parent.with_name("elsewhere")), "not_connected"),
        (lambda path: path.write_bytes(b"y" * 5000), "changed"),
        (lambda path: os.truncate(path, 10), "changed"),
        (lambda path: os.utime(path, ns=(0, 10**18)), "changed"),
        (lambda path: path.chmod(0o600), "ready"),
    ],
    ids=["deleted", "folder away", "replaced", "truncated", "touched", "mode"],
)
def test_what_happened_to_a_file_shows_as_its_state(
    store: Store, model_file: Make, tmp_path: Path, change: Callable[[Path], None], state: str
) -> None:
    new = model_file("one", folder=tmp_path / "models")
    model = store.models.add(new)
    change(Path(new.path))
    changed = store.models.refresh_states()
    assert [row.id for row in changed] == ([] if state == "ready" else [model.id])
    assert store.models.get(model.id).state == state  # type: ignore[union-attr]
    assert len(store.models.all()) == 2


def test_a_file_swapped_for_one_of_the_same_size_and_time_is_changed(store: Store, model_file: Make) -> None:
    new = model_file("one")
    model = store.models.add(new)
    old = os.stat(new.path)
    other = Path(new.path + ".other")
    other.write_bytes(b"z" * 4096)
    os.utime(other, ns=(old.st_atime_ns, old.st_mtime_ns))
    os.replace(other, new.path)
    assert [row.state for row in store.models.refresh_states()] == ["changed"]
    assert store.models.add(new).state == "ready"
    assert model.id == store.models.by_path(new.path).id  # type: ignore[union-attr]


def test_a_drive_that_comes_back_is_ready_again(store: Store, model_file: Make, tmp_path: Path) -> None:
    drive = tmp_path / "drive"
    model = store.models.add(model_file("one", folder=drive))
    drive.rename(tmp_path / "away")
    assert [row.state for row in store.models.refresh_states()] == ["not_connected"]
    (tmp_path / "away").rename(drive)
    assert [row.state for row in store.models.refresh_states()] == ["ready"]
    assert store.models.get(model.id) is not None


def test_a_broken_model_stays_so_until_its_file_changes(store: Store, model_file: Make) -> None:
    new = model_file("one")
    model = store.models.add(new)
    store.models.mark_broken(model.id)
    assert store.models.refresh_states() == []
    Path(new.path).write_bytes(b"mended")
    assert [row.state for row in store.models.refresh_states()] == ["changed"]
    assert store.models.add(new).state == "ready"


def test_removing_deletes_what_snug_fetched_and_says_what_is_freed(
    store: Store, model_file: Make, paths: Paths
) -> None:
    model = store.models.add(model_file("one", folder=paths.models / "maker" / "repo", size=5_000_000))
    chat = store.chats.create(model.id)
    plan = store.models.plan_removal(model.id)
    assert (plan.files, plan.freed_bytes, plan.keeps_file) == ((model.path,), 5_000_000, False)
    assert "5.0 MB" in plan.words
    assert os.path.exists(model.path)

    store.models.remove(model.id)

    assert store.models.get(model.id) is None
    assert paths.models.is_dir()
    assert list(paths.models.iterdir()) == []
    assert store.chats.get(chat).model_name == "one"  # type: ignore[union-attr]


def test_a_file_that_snug_did_not_fetch_stays(store: Store, model_file: Make) -> None:
    model = store.models.add(model_file("one", is_ours=False))
    removal = store.models.remove(model.id)
    assert (removal.files, removal.freed_bytes, removal.keeps_file) == ((), 0, True)
    assert os.path.exists(model.path)
    assert store.models.get(model.id) is None


def test_nothing_outside_the_models_folder_is_deleted(store: Store, model_file: Make, tmp_path: Path) -> None:
    model = store.models.add(model_file("one", folder=tmp_path / "documents"))
    assert store.models.remove(model.id).keeps_file
    assert os.path.exists(model.path)


def test_a_folder_of_an_earlier_download_counts_as_snugs(store: Store, model_file: Make, tmp_path: Path) -> None:
    folder = tmp_path / "drive"
    store.downloads.add(NewDownload("t", "a/b", "main", (RemoteFileRow("one.gguf", 1),), str(folder)))
    model = store.models.add(model_file("one", folder=folder))
    assert not store.models.remove(model.id).keeps_file
    assert not os.path.exists(model.path)


def test_of_a_link_only_the_link_is_deleted(store: Store, model_file: Make, paths: Paths, tmp_path: Path) -> None:
    canary = tmp_path / "canary.gguf"
    canary.write_bytes(b"alive")
    paths.models.mkdir(parents=True)
    link = paths.models / "one.gguf"
    link.symlink_to(canary)
    model = store.models.add(replace(model_file("other"), name="one", path=str(link)))
    removal = store.models.remove(model.id)
    assert (removal.files, removal.freed_bytes) == ((str(link),), 0)
    assert not link.is_symlink()
    assert canary.read_bytes() == b"alive"


def test_a_linked_folder_does_not_lead_out_of_the_models_folder(
    store: Store, model_file: Make, paths: Paths, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    new = model_file("one", folder=outside)
    paths.models.mkdir(parents=True)
    (paths.models / "door").symlink_to(outside, target_is_directory=True)
    model = store.models.add(replace(new, path=str(paths.models / "door" / "one.gguf")))
    assert store.models.remove(model.id).files == ()
    assert os.path.exists(new.path)


def test_a_second_name_of_a_file_frees_nothing(store: Store, model_file: Make, tmp_path: Path) -> None:
    new = model_file("one")
    os.link(new.path, tmp_path / "second")
    model = store.models.add(new)
    assert store.models.plan_removal(model.id).freed_bytes == 0


def test_a_projector_that_another_model_uses_stays(store: Store, model_file: Make) -> None:
    eyes = model_file("eyes").path
    one = store.models.add(replace(model_file("one"), projector_path=eyes))
    two = store.models.add(replace(model_file("two"), projector_path=eyes))
    assert store.models.remove(one.id).files == (one.path,)
    assert set(store.models.remove(two.id).files) == {two.path, eyes}


def test_a_removed_model_that_is_added_again_is_the_same_row(store: Store, model_file: Make) -> None:
    model = store.models.add(model_file("one"))
    store.models.remove(model.id)
    assert store.models.add(model_file("one")).id == model.id


@pytest.mark.parametrize("name", ["模型 😀 é", "e\u0301", "\u00e9", "‮rtl", "x" * 200, "trailing dot.", "a'b\"c"])
def test_odd_file_names_are_kept_as_they_are(store: Store, model_file: Make, name: str) -> None:
    new = model_file(name)
    assert store.models.add(new).path == new.path
    assert store.models.by_path(new.path) is not None


def test_a_file_name_that_no_text_can_hold_is_refused_in_words(store: Store, model_file: Make) -> None:
    with pytest.raises(UserError) as caught:
        store.models.add(replace(model_file("one"), path="/models/\udcff.gguf"))
    assert caught.value.kind == "bad-name"


def test_damaged_facts_do_not_hide_the_model(store: Store, model_file: Make) -> None:
    model = store.models.add(model_file("one"))
    store.database.raw.execute(
        "UPDATE models SET facts = '{', added_at = 'never', parts = '7' WHERE id = ?", (model.id,)
    )
    found = store.models.get(model.id)
    assert found is not None
    assert not found.facts.exact


def test_pips_facts_are_those_that_the_reader_finds() -> None:
    folder = resources_folder() / "models" / "pip"
    file = folder / "pip-7m-Q8_0.gguf"
    assert built_in_facts(folder) == facts_from_header(read_file_header(file), file.stat().st_size)
