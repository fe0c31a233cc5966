"""The cache of built engines: one key for each recipe, whole wheels only, old ones let go."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path

import pytest
from devtool import engine
from devtool.engine import Recipe, cache_folder, cached_wheel, compiler_flags, keep_wheel, parse_cpu_features

RECIPE = Recipe("0.3.36", "-DGGML_NATIVE=ON", "-mno-amx-int8", "c++ 12.2.0", "linux x86_64", ("avx2", "fma"), "3.11")
CHANGES = [
    {"version": "0.3.37"},
    {"cmake_arguments": "-DGGML_NATIVE=OFF"},
    {"compiler_flags": ""},
    {"compiler": "c++ 14.2.0"},
    {"machine": "linux aarch64"},
    {"cpu_features": ("avx2", "avx512f", "fma")},
    {"python": "3.12"},
]


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    path = tmp_path / "llama_cpp_python-0.3.36-py3-none-any.whl"
    path.write_bytes(b"wheel")
    return path


def test_the_same_recipe_finds_its_wheel_again(tmp_path: Path, wheel: Path) -> None:
    cache = tmp_path / "cache"
    assert cached_wheel(cache, RECIPE) is None
    kept = keep_wheel(cache, RECIPE, wheel)
    assert cached_wheel(cache, dataclasses.replace(RECIPE)) == kept
    assert kept.read_bytes() == b"wheel"


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: next(iter(change)))
def test_any_other_recipe_does_not(tmp_path: Path, wheel: Path, change: dict[str, object]) -> None:
    keep_wheel(tmp_path / "cache", RECIPE, wheel)
    other = dataclasses.replace(RECIPE, **change)  # type: ignore[arg-type]
    assert cached_wheel(tmp_path / "cache", other) is None


def test_a_wheel_that_was_not_put_there_whole_is_not_found(tmp_path: Path, wheel: Path) -> None:
    cache = tmp_path / "cache"
    keep_wheel(cache, RECIPE, wheel).unlink()
    assert cached_wheel(cache, RECIPE) is None
    keep_wheel(cache, RECIPE, wheel)
    assert [path.name for path in cache.iterdir()] == [RECIPE.key]


def test_only_the_newest_wheels_are_kept(tmp_path: Path, wheel: Path) -> None:
    cache = tmp_path / "cache"
    recipes = [dataclasses.replace(RECIPE, python=f"3.{minor}") for minor in range(engine.KEPT_WHEELS + 2)]
    for age, recipe in enumerate(recipes):
        kept = keep_wheel(cache, recipe, wheel)
        os.utime(kept.parent / "recipe.json", (1000 + age, 1000 + age))
    keep_wheel(cache, recipes[-1], wheel)
    assert cached_wheel(cache, recipes[0]) is None
    assert all(cached_wheel(cache, recipe) for recipe in recipes[-engine.KEPT_WHEELS :])


def test_cpu_features_are_instruction_sets_in_a_fixed_order() -> None:
    cpuinfo = "processor\t: 0\nmodel name\t: X\nflags\t\t: fpu vme sse2 avx512f avx2 amx_int8 rep_good retpoline\n"
    assert parse_cpu_features(cpuinfo) == ("amx_int8", "avx2", "avx512f", "fpu", "sse2")
    assert parse_cpu_features("Features\t: fp asimd sve i8mm bf16\n") == ("asimd", "bf16", "fp", "i8mm", "sve")
    assert parse_cpu_features("") == ()


def test_x86_is_built_without_amx_where_the_compiler_knows_it() -> None:
    assert compiler_flags("x86_64", lambda _: True) == "-mno-amx-int8"
    assert compiler_flags("AMD64", lambda _: True) == "-mno-amx-int8"
    assert compiler_flags("x86_64", lambda _: False) == ""
    assert compiler_flags("aarch64", lambda _: True) == ""


def test_the_cache_is_where_each_system_keeps_caches() -> None:
    assert cache_folder("linux", {"XDG_CACHE_HOME": "/x"}) == Path("/x/snug/wheels")
    assert cache_folder("linux", {}) == Path.home() / ".cache/snug/wheels"
    assert cache_folder("darwin", {}) == Path.home() / "Library/Caches/snug/wheels"
    assert cache_folder("linux", {"SNUG_WHEEL_CACHE": "/y"}) == Path("/y")
