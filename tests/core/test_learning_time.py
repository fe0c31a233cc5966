"""The time that better bits take: more with each method, less with each core."""

from __future__ import annotations

from snug.core.learning_time import USUAL_METHODS, learning_seconds

SEVEN_BILLION = 7_000_000_000


def test_every_method_takes_longer_and_cores_share_the_work() -> None:
    careful = learning_seconds(SEVEN_BILLION, 32, 8, ["importance"])
    usual = learning_seconds(SEVEN_BILLION, 32, 8, USUAL_METHODS)
    thorough = learning_seconds(SEVEN_BILLION, 32, 8, [*USUAL_METHODS, "mix"])
    assert careful < usual < thorough
    assert learning_seconds(SEVEN_BILLION, 32, 16, USUAL_METHODS) == usual / 2


def test_a_tiny_model_is_a_matter_of_seconds_and_seven_billion_weights_of_an_hour_or_two() -> None:
    assert learning_seconds(7_000_000, 6, 2, [*USUAL_METHODS, "mix"]) < 90
    assert 1200 < learning_seconds(SEVEN_BILLION, 32, 8, [*USUAL_METHODS, "mix"]) < 7200


def test_a_processor_of_unknown_cores_counts_as_one() -> None:
    assert learning_seconds(7_000_000, 6, 0, ["importance"]) == learning_seconds(7_000_000, 6, 1, ["importance"])
