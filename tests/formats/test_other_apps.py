"""Other apps' folders, built as those apps build them: models are found in place, hostile content is left out."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snug.formats import app_folders, ollama_store
from snug.formats.app_folders import Home
from snug.formats.folder_walk import FolderWalk, WalkLimits, parts_of
from snug.formats.ollama_store import BadManifest
from snug.formats.other_apps import Scan, scan

GGUF = b"GGUF\x03\0\0\0" + bytes(16)
DIGEST = "dde5aa3fc5ffc17176b5e8bdc82f587b24b2678c6c66101bf7da77af9f7ccdff"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    folder = tmp_path / "ann"
    folder.mkdir()
    return Home(folder, variables={}, system="linux", shared=tmp_path / "share")


def put(path: Path, content: bytes | str = GGUF) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def names(found: Scan) -> list[tuple[str, str]]:
    return [(candidate.app, candidate.name) for candidate in found.found]


def put_ollama(
    store: Path, name: str, manifest: str | None = None, blob: bytes | None = GGUF, digest: str = DIGEST
) -> None:
    """A model as Ollama stores it: the manifest with config, model, template and licence layers, and the blob."""
    config = {"mediaType": "application/vnd.docker.container.image.v1+json", "digest": "sha256:" + "ef" * 32, "size": 5}
    layers = [
        {"mediaType": "application/vnd.ollama.image.model", "digest": f"sha256:{digest}", "size": len(GGUF)},
        {"mediaType": "application/vnd.ollama.image.template", "digest": "sha256:" + "ab" * 32, "size": 1429},
        {"mediaType": "application/vnd.ollama.image.license", "digest": "sha256:" + "cd" * 32, "size": 7711},
    ]
    kind = "application/vnd.docker.distribution.manifest.v2+json"
    whole = {"schemaVersion": 2, "mediaType": kind, "config": config, "layers": layers}
    put(store / "manifests" / name, manifest or json.dumps(whole))
    if blob is not None:
        put(store / "blobs" / f"sha256-{digest}", blob)


def model_layer(digest: str, size: int) -> str:
    """A manifest with a model layer of that digest and size only."""
    layer = {"mediaType": "application/vnd.ollama.image.model", "digest": digest, "size": size}
    return json.dumps({"layers": [layer]})


def test_lm_studio_is_found_in_its_own_its_old_and_its_chosen_folder(home: Home, tmp_path: Path) -> None:
    put(home.folder / ".lmstudio/models/lmstudio-community/Qwen3-4B-GGUF/Qwen3-4B-Q4_K_M.gguf")
    put(home.folder / ".lmstudio/models/lmstudio-community/Qwen3-4B-GGUF/mmproj-model-f16.gguf")
    put(home.folder / ".cache/lm-studio/models/TheBloke/phi-2-GGUF/phi-2.Q4_K_S.gguf")
    put(tmp_path / "big disk/models/bartowski/gemma/gemma-3-4b-it-Q8_0.gguf")
    put(home.folder / ".lmstudio/settings.json", json.dumps({"downloadsFolder": str(tmp_path / "big disk/models")}))
    assert names(scan(home)) == [
        ("LM Studio", "Qwen3-4B-Q4_K_M"),
        ("LM Studio", "phi-2.Q4_K_S"),
        ("LM Studio", "gemma-3-4b-it-Q8_0"),
    ]


def test_lm_studios_pointer_file_is_followed(home: Home, tmp_path: Path) -> None:
    put(home.folder / ".lmstudio-home-pointer", f"{tmp_path / 'elsewhere'}\n")
    put(tmp_path / "elsewhere/models/a/b/model.gguf")
    assert names(scan(home)) == [("LM Studio", "model")]


@pytest.mark.parametrize(
    ("manifest", "name"),
    [
        ("registry.ollama.ai/library/llama3.2/3b", "llama3.2:3b"),
        ("registry.ollama.ai/ann/tuned/latest", "ann/tuned:latest"),
        ("hf.co/bartowski/gemma-2-2b-it-GGUF/Q4_K_M", "hf.co/bartowski/gemma-2-2b-it-GGUF:Q4_K_M"),
    ],
)
def test_ollama_models_carry_the_name_that_ollama_shows(home: Home, manifest: str, name: str) -> None:
    put_ollama(home.folder / ".ollama/models", manifest)
    (found,) = scan(home).found
    assert (found.app, found.name, found.path.name, found.size_bytes) == ("Ollama", name, f"sha256-{DIGEST}", len(GGUF))


def test_ollamas_other_stores_are_looked_into_and_a_blob_counts_once(home: Home, tmp_path: Path) -> None:
    put_ollama(home.shared / "ollama/.ollama/models", "registry.ollama.ai/library/phi3/mini")
    put_ollama(home.shared / "ollama/.ollama/models", "registry.ollama.ai/library/phi3/latest")
    put_ollama(tmp_path / "chosen", "registry.ollama.ai/library/qwen3/4b", digest="a" * 64)
    chosen = Home(home.folder, {"OLLAMA_MODELS": str(tmp_path / "chosen")}, "linux", home.shared)
    assert names(scan(chosen)) == [("Ollama", "qwen3:4b"), ("Ollama", "phi3:latest")]


def test_an_old_ollama_blob_with_a_colon_is_found(home: Home) -> None:
    store = home.folder / ".ollama/models"
    put_ollama(store, "registry.ollama.ai/library/llama2/latest", blob=None)
    put(store / "blobs" / f"sha256:{DIGEST}")
    assert names(scan(home)) == [("Ollama", "llama2:latest")]


@pytest.mark.parametrize(
    ("manifest", "why"),
    [
        ("{", "not readable as JSON"),
        ("[" * 100_000, "not readable as JSON"),
        ("[]", "lists no layers"),
        ('{"layers": "many"}', "lists no layers"),
        ('{"layers": [1, null, {}]}', "cloud"),
        (model_layer("sha256:../../etc/passwd", 5), "not one that Ollama writes"),
        (model_layer("sha256:" + "A" * 64, 5), "not one that Ollama writes"),
        (model_layer(f"sha256:{DIGEST}", -1), "makes no sense"),
        (model_layer(f"sha256:{DIGEST}", 9), "another size"),
        (model_layer("sha256:" + "0" * 64, 9), "not completely downloaded"),
        ('{"layers": [' + " " * 2_000_000 + "]}", "larger than any manifest"),
    ],
)
def test_a_hostile_or_unfinished_manifest_is_skipped_with_its_reason(home: Home, manifest: str, why: str) -> None:
    put_ollama(home.folder / ".ollama/models", "registry.ollama.ai/library/bad/latest", manifest=manifest)
    put_ollama(home.folder / ".ollama/models", "registry.ollama.ai/library/good/latest", blob=GGUF)
    result = scan(home)
    assert names(result) == [("Ollama", "good:latest")]
    ((path, reason),) = result.skipped
    assert path.endswith("bad/latest")
    assert why in reason


def test_an_ollama_blob_that_is_a_link_out_of_the_store_is_not_used(home: Home, tmp_path: Path) -> None:
    store = home.folder / ".ollama/models"
    put_ollama(store, "registry.ollama.ai/library/bad/latest", blob=None)
    (store / "blobs").mkdir()
    os.symlink(put(tmp_path / "secret"), store / "blobs" / f"sha256-{DIGEST}")
    assert scan(home).found == ()


@settings(max_examples=200, deadline=None)
@given(st.one_of(st.binary(max_size=200), st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=9)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(
        st.sampled_from(("layers", "mediaType", "digest", "size")), inner, max_size=4)), max_leaves=9,
).map(lambda value: json.dumps(value).encode())))  # fmt: skip
def test_no_manifest_makes_its_parser_fail_otherwise(data: bytes) -> None:
    try:
        blob = ollama_store.parse_manifest(data)
    except BadManifest:
        return
    assert len(blob.sha256) == 64


def test_jan_models_are_named_by_their_model_yml(home: Home) -> None:
    data = home.folder / ".local/share/Jan/data"
    put(data / "llamacpp/models/janhq/Jan-v1-4B/model.gguf")
    put(data / "llamacpp/models/janhq/Jan-v1-4B/mmproj.gguf")
    put(
        data / "llamacpp/models/janhq/Jan-v1-4B/model.yml",
        "embedding: false\nmodel_path: llamacpp/models/janhq/Jan-v1-4B/model.gguf\nname: Jan-v1-4B\nsize_bytes: 24\n",
    )
    put(home.folder / "jan/models/tinyllama/tinyllama.gguf")
    assert names(scan(home)) == [("Jan", "Jan-v1-4B"), ("Jan", "tinyllama")]


def test_a_jan_model_used_in_place_is_found_where_it_lies(home: Home, tmp_path: Path) -> None:
    file = put(tmp_path / "mine/qwen.gguf")
    data = tmp_path / "jan data"
    put(home.folder / ".local/share/Jan/settings.json", json.dumps({"data_folder": str(data)}))
    put(data / "llamacpp/models/qwen/model.yml", f'model_path: "{file}"\nname: "Qwen"\n')
    (found,) = scan(home).found
    assert (found.name, found.path) == ("Qwen", file)


@pytest.mark.parametrize(
    "path", ["../../../../outside.gguf", "llamacpp/models/gone.gguf", "", "/etc/passwd", "\0.gguf"]
)
def test_a_model_yml_that_points_astray_is_skipped(home: Home, path: str) -> None:
    put(home.folder / "outside.gguf")
    put(home.folder / ".local/share/Jan/data/llamacpp/models/x/model.yml", f"model_path: {path}\nname: x\n")
    result = scan(home)
    assert result.found == ()
    assert len(result.skipped) == 1


def test_gpt4all_is_found_in_its_default_and_its_chosen_folder(home: Home, tmp_path: Path) -> None:
    put(home.folder / ".local/share/nomic.ai/GPT4All/Meta-Llama-3-8B-Instruct.Q4_0.gguf")
    put(tmp_path / "chosen/Phi-3-mini.gguf")
    put(home.folder / ".config/nomic.ai/GPT4All.ini", f"[General]\nchatTheme=Dark\nmodelPath={tmp_path}/chosen/\n")
    assert names(scan(home)) == [("GPT4All", "Phi-3-mini"), ("GPT4All", "Meta-Llama-3-8B-Instruct.Q4_0")]


def test_llama_cpps_cache_gives_a_split_model_once(home: Home) -> None:
    cache = home.folder / ".cache/llama.cpp"
    for part in (1, 2):
        put(cache / f"angt_test-split-model-stories260K_stories260K-f32-0000{part}-of-00002.gguf")
        put(cache / f"angt_test-split-model-stories260K_stories260K-f32-0000{part}-of-00002.gguf.etag", "x")
    put(cache / "manifest=angt=test-split-model-stories260K=latest.json", "{}")
    (found,) = scan(home).found
    assert found.name == "angt_test-split-model-stories260K_stories260K-f32"
    assert (len(found.parts), found.size_bytes) == (2, 2 * len(GGUF))


def test_a_split_model_without_all_parts_is_skipped_by_name(home: Home) -> None:
    put(home.folder / ".cache/llama.cpp/m-00001-of-00003.gguf")
    put(home.folder / ".cache/llama.cpp/m-00003-of-00003.gguf")
    result = scan(home)
    assert result.found == ()
    assert result.skipped[0][1] == "a part of it is missing: m-00002-of-00003.gguf"


def test_the_hugging_face_caches_own_links_are_followed(home: Home) -> None:
    repo = home.folder / ".cache/huggingface/hub/models--bartowski--gemma-2-2b-it-GGUF"
    put(repo / "blobs" / DIGEST)
    snapshot = repo / "snapshots/67a9b8b00464fce66686bdabc0f5d1fc2a63d8b8"
    snapshot.mkdir(parents=True)
    os.symlink(f"../../blobs/{DIGEST}", snapshot / "gemma-2-2b-it-Q4_K_M.gguf")
    (repo / "snapshots/main").mkdir()
    os.symlink(f"../../blobs/{DIGEST}", repo / "snapshots/main/gemma-2-2b-it-Q4_K_M.gguf")
    os.symlink("../../blobs/gone", snapshot / "gone.gguf")
    result = scan(home)
    assert names(result) == [("Hugging Face cache", "gemma-2-2b-it-Q4_K_M")]
    assert result.skipped[0][1] == "it leads to nothing"


def test_links_out_of_an_apps_folder_are_not_followed(home: Home, tmp_path: Path) -> None:
    models = home.folder / ".lmstudio/models"
    models.mkdir(parents=True)
    os.symlink(put(tmp_path / "outside/secret.gguf"), models / "secret.gguf")
    os.symlink(tmp_path / "outside", models / "folder")
    os.symlink(models, models / "round")
    result = scan(home)
    assert result.found == ()
    assert result.skipped == ((str(models / "secret.gguf"), "it is a link that leads out of the app's folder"),)


def test_a_walk_ends_at_its_limits(tmp_path: Path) -> None:
    for number in range(20):
        put(tmp_path / f"{number:02d}.gguf")
    put(tmp_path / "a/b/c/deep.gguf")
    count = FolderWalk(WalkLimits(entries=10))
    assert len(list(count.files(tmp_path, lambda name: True))) == 10
    assert "more than 10 files" in count.skipped[0][1]
    deep = FolderWalk(WalkLimits(depth=2))
    assert not [path for path in deep.files(tmp_path, lambda name: True) if path.name == "deep.gguf"]
    ticks = iter(range(100))
    slow = FolderWalk(WalkLimits(seconds=5), clock=lambda: float(next(ticks)))
    assert len(list(slow.files(tmp_path, lambda name: True))) == 5
    assert "longer than 5 seconds" in slow.skipped[0][1]


def test_a_walk_stops_when_it_is_told_to(tmp_path: Path) -> None:
    class StoppedHere(Exception):
        pass

    def check() -> None:
        raise StoppedHere

    with pytest.raises(StoppedHere):
        list(FolderWalk(check=check).files(tmp_path, lambda name: True))


def test_further_folders_are_looked_into(home: Home, tmp_path: Path) -> None:
    put(tmp_path / "disk/a/model.gguf")
    result = scan(home, [tmp_path / "disk", tmp_path / "absent"])
    assert names(result) == [("folder", "model")]
    assert result.looked_in == (("folder", str(tmp_path / "disk")),)


def test_no_app_means_nothing_found(home: Home) -> None:
    assert scan(home) == Scan((), (), ())


@pytest.mark.parametrize(
    "content", ["", "{", "[1]", '{"downloadsFolder": 5}', '{"downloadsFolder": "relative"}', "\0" * 9]
)
def test_a_damaged_settings_file_changes_nothing(home: Home, content: str) -> None:
    put(home.folder / ".lmstudio/settings.json", content)
    assert app_folders.lm_studio_folders(home) == [
        home.folder / ".lmstudio/models",
        home.folder / ".cache/lm-studio/models",
    ]


def test_each_system_has_its_own_places() -> None:
    ann = Path("/home/ann")
    mac, windows = Home(ann, {}, "darwin"), Home(ann, {"LOCALAPPDATA": "/local", "APPDATA": "/roaming"}, "win32")
    assert app_folders.llama_cpp_folders(mac) == [ann / "Library/Caches/llama.cpp"]
    assert app_folders.llama_cpp_folders(windows) == [Path("/local/llama.cpp")]
    assert ann / "Library/Application Support/nomic.ai/GPT4All" in app_folders.gpt4all_folders(mac)
    assert Path("/local/nomic.ai/GPT4All") in app_folders.gpt4all_folders(windows)
    assert Path("/roaming/Jan/data") in app_folders.jan_folders(windows)
    assert app_folders.ollama_folders(windows) == [ann / ".ollama/models"]


def test_parts_are_named_from_any_part(tmp_path: Path) -> None:
    paths = tuple(put(tmp_path / f"m-0000{part}-of-00002.gguf") for part in (1, 2))
    assert parts_of(paths[1]) == paths
    assert parts_of(put(tmp_path / "whole.gguf")) == (tmp_path / "whole.gguf",)
