"""A stage's pace is the manifest's until it is measured, and then what is measured."""

import pytest

from posecascade.service.engine.pace import Pace


def test_before_the_first_batch_the_manifest_is_believed() -> None:
    pace = Pace(20)

    assert (pace.item_s, pace.slowdown) == (0.02, 1)


def test_after_a_few_batches_the_measured_time_is() -> None:
    pace = Pace(20)
    for _ in range(30):
        pace.ran(4, 0.16)

    assert pace.item_s == pytest.approx(0.04, rel=0.01)
    assert pace.slowdown == pytest.approx(2, rel=0.01)


def test_one_slow_batch_moves_it_by_a_fifth() -> None:
    pace = Pace(20)
    pace.ran(1, 0.12)

    assert pace.item_s == pytest.approx(0.04)
