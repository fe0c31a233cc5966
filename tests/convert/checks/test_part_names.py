"""The parts of a model in words."""

from __future__ import annotations

import pytest

from snug.convert.checks.part_names import part_name, part_names


@pytest.mark.parametrize(
    ("tensor", "words"),
    [
        ("token_embd.weight", "the word table"),
        ("blk.2.attn_v.weight", "the attention (values) in layer 3"),
        ("blk.0.ffn_down_exps.weight", "the knowledge part (down) of the experts in layer 1"),
        ("blk.11.strange.weight", "strange in layer 12"),
    ],
)
def test_a_tensor_has_words_and_its_layer_counts_from_one(tensor: str, words: str) -> None:
    assert part_name(tensor) == words


def test_the_first_few_are_named_and_the_others_counted() -> None:
    names = ["output.weight", *(f"blk.{layer}.ffn_up.weight" for layer in range(5))]
    assert part_names(names[:1]) == "the table of answers"
    assert part_names(names[:2]) == "the table of answers and the knowledge part (up) in layer 1"
    assert part_names(names).endswith("the knowledge part (up) in layer 2 and 3 more")
