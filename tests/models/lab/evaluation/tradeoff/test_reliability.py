"""Facts about predicted gains, exits and sigma."""

from dataclasses import replace

import numpy as np
import pytest

from posecascade.models.lab.evaluation.tradeoff.people import People, groups
from posecascade.models.lab.evaluation.tradeoff.reliability import (
    THIRDS,
    covered,
    exits,
    predicted,
)
from posecascade.models.lab.fitting.gain import fit_gain
from posecascade.models.lab.fitting.targets import cases
from posecascade.models.records import Stage
from tests.models.lab.fitting.people import people

ROUNDS = 100


@pytest.fixture(scope="module")
def crowd() -> People:
    return next(groups(people(400, seed=9)))


def test_gains_come_as_they_were_predicted_on_other_people_of_the_same_kind(crowd):
    ways = list(predicted(crowd, fit_gain(cases([people(800)])), rounds=ROUNDS))
    first = ways[0]

    assert [(way.after, way.way) for way in ways] == [
        ("coarse", "refine"),
        ("coarse", "expert"),
        ("coarse", "refine, expert"),
        ("refine", "expert"),
    ]
    assert first.predicted_mm == pytest.approx(first.realised_mm.value, abs=3)
    assert first.correlation > 0.6
    assert sum(one.people for one in first.bins) == 400
    assert first.bins[-1].realised_mm.value > first.bins[0].realised_mm.value + 10


def test_who_has_no_features_after_refine_is_not_asked_about_expert(crowd):
    features = crowd.table.features.copy()
    features[::2, 1] = np.nan
    half = next(groups(replace(crowd.table, features=features)))
    of_refine = [
        way.people
        for way in predicted(half, fit_gain(cases([people(800)])), rounds=ROUNDS)
        if way.after == Stage.REFINE
    ]

    assert of_refine == [200]


def test_exits_are_told_by_thirds_of_the_difficulty(crowd):
    routes = np.where(
        crowd.table.difficulty > np.quantile(crowd.table.difficulty, 2 / 3), 3, 0
    )
    found = exits(crowd, routes)

    assert [one.part for one in found] == list(THIRDS)
    assert found[0].shares == (1, 0, 0, 0)
    assert found[2].shares == pytest.approx((0, 0, 0, 1), abs=0.02)
    assert sum(one.people for one in found) == 400


def test_sigma_is_judged_at_the_route_that_was_taken(crowd):
    errors = np.full(crowd.table.errors_mm.shape, 1e3)
    errors[:, 1] = 1.0
    table = replace(crowd.table, errors_mm=errors)
    all_of, small, large = covered(
        next(groups(table)), np.ones(400, np.intp), rounds=ROUNDS
    )
    none = covered(next(groups(table)), np.zeros(400, np.intp), rounds=ROUNDS)[0]

    assert (all_of.part, small.part, large.part) == (
        "all",
        "small people",
        "large people",
    )
    assert all_of.share.value == 100
    assert none.share.value == 0
    assert small.people + large.people == 400
