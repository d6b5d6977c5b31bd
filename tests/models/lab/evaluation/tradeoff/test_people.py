"""Facts about who is compared."""

from dataclasses import replace

import numpy as np
import pytest

from posecascade.models.lab.evaluation.tradeoff.people import (
    EVERYBODY,
    HARDEST_THIRD,
    groups,
    parts,
)
from posecascade.models.lab.scoring.recorded import ROUTES, Recorded
from tests.models.lab.fitting.people import people


def in_2d(table: Recorded, name: str) -> Recorded:
    """A folder of photographs."""
    unknown = np.full((len(table.frame), len(ROUTES)), np.nan)
    return replace(
        table,
        folder=np.array([name] * len(table.frame)),
        limb_error_mm=unknown,
        errors_mm=np.full(table.errors_mm.shape, np.nan),
    )


def test_folders_in_3d_stand_alone_and_photographs_together():
    table = Recorded.joined(
        [people(30), in_2d(people(10), "one"), in_2d(people(6), "two")]
    )
    found = list(groups(table))

    assert [group.name for group in found] == ["made", "one, two"]
    assert [len(group) for group in found] == [30, 16]
    assert [group.in_3d for group in found] == [True, False]
    assert found[1].error == pytest.approx(np.full((16, 4), 5.0))  # % of the size
    assert (found[1].joints_3d == 0).all()
    assert (found[1].rows == np.arange(30, 46)).all()


def test_who_was_matched_to_nobody_is_left_out():
    table = replace(people(10), person=np.array([-1, 1] * 5))

    assert len(next(groups(table))) == 5
    with pytest.raises(ValueError, match="want labelled people"):
        list(groups(replace(table, person=np.full(10, -1))))


def test_the_hardest_third_is_the_most_difficult_by_the_labels():
    table = people(31)
    hard = table.difficulty.copy()
    hard[:4] = np.nan
    group = next(groups(replace(table, difficulty=hard)))
    rows = parts(group)[HARDEST_THIRD][1]

    assert len(rows) == 9
    assert hard[rows].min() >= np.nanmax(np.delete(hard, rows))
    assert len(parts(group)[EVERYBODY][1]) == 31


def test_two_of_one_picture_are_one_unit():
    assert next(groups(people(10, a_frame=2))).unit.max() == 4
