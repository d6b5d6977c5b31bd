"""Facts about promises that are tried on people who did not calibrate them."""

import numpy as np
import pytest

from posecascade.models.lab.evaluation.tradeoff.splits import allowed, broken
from posecascade.models.lab.fitting.gain import fit_gain
from posecascade.models.lab.fitting.targets import cases
from posecascade.models.policies import AlwaysPolicy
from tests.models.lab.fitting.people import COST_MS, people


def test_promises_are_broken_no_more_often_than_they_may_be():
    found = broken(
        people(300, seed=5), fit_gain(cases([people(800)])), COST_MS, (5.0, 10.0, 20.0)
    )

    assert all(one.broken <= allowed(200) for one in found)
    assert allowed(200) == pytest.approx(0.05 + 2 * np.sqrt(0.05 * 0.95 / 200))
    assert [one.compute for one in found] == sorted(
        (one.compute for one in found), reverse=True
    )
    assert found[-1].guarantee == 1
    assert all(one.mean_extra_mm <= one.target_mm for one in found)


def test_who_never_loses_anything_breaks_no_promise():
    (one,) = broken(people(300, seed=5), AlwaysPolicy(), COST_MS, (20.0,), splits=10)

    assert (one.guarantee, one.broken, one.missed, one.missed_in_truth) == (1, 0, 0, 0)
    assert (one.mean_extra_mm, one.compute) == (0, 1)


def test_a_promise_that_so_few_cannot_support_is_not_made():
    (one,) = broken(people(20), AlwaysPolicy(), COST_MS, (1.0,), splits=10)

    assert (one.guarantee, one.broken, one.compute) == (0, 0, 1)


def test_one_picture_cannot_be_split():
    with pytest.raises(ValueError, match="want two pictures"):
        broken(people(2, a_frame=2), AlwaysPolicy(), COST_MS)
