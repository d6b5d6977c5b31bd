"""Facts about the recipes: each rule learns who is helped."""

import json

import numpy as np
import pytest

from posecascade.models.lab.fitting import policies as fit
from posecascade.models.lab.fitting.gain import ridge
from posecascade.models.lab.fitting.operating_points import (
    balanced_price,
    halves,
    losses,
    operating_points,
)
from posecascade.models.lab.fitting.policies import fit_policies
from posecascade.models.lab.fitting.simulate import deep_cost_ms, oracle, play
from posecascade.models.lab.fitting.targets import cases, error_from_deepest
from posecascade.models.lab.scoring.recorded import Recorded
from posecascade.models.policies import GainPolicy, Policy, RandomPolicy
from posecascade.models.policies.serialized import read_policies
from tests.models.lab.fitting.people import COST_MS, FLOOR_MM, people

PRICE = 1.0
LEARNED = [
    "gain",
    "threshold",
    "idk",
    "skip",
    "skip_from_scratch",
    "actor",
    "pragmatic_critic",
    "optimistic_critic",
]


@pytest.fixture(scope="module")
def policies() -> dict[str, Policy]:
    return read_policies(json.loads(json.dumps(fit_policies([people(800)], COST_MS))))


@pytest.fixture(scope="module")
def test_people() -> Recorded:
    return people(400, seed=9)


def total_mm(table: Recorded, routes: np.ndarray) -> float:
    """Error and what was paid for it."""
    error = error_from_deepest(table)
    return float(
        (
            error[np.arange(len(routes)), routes]
            + PRICE * deep_cost_ms(routes, COST_MS)
        ).mean()
    )


def test_the_error_of_the_deepest_answer_is_what_it_expects_of_itself(test_people):
    assert error_from_deepest(test_people)[:, -1] == pytest.approx(
        np.full(400, FLOOR_MM)
    )
    assert error_from_deepest(test_people) == pytest.approx(test_people.limb_error_mm)


@pytest.mark.parametrize("name", LEARNED)
def test_every_rule_does_better_on_other_people_than_chance(
    policies, test_people, name
):
    routes = play(test_people, policies[name], COST_MS, PRICE)
    chance = [
        total_mm(test_people, np.random.default_rng(seed).permutation(routes))
        for seed in range(20)
    ]

    assert total_mm(test_people, routes) < min(chance)


@pytest.mark.parametrize(
    "name", ["gain", "skip", "actor", "pragmatic_critic", "optimistic_critic"]
)
def test_rules_that_see_all_features_come_near_the_oracle(policies, test_people, name):
    routes = play(test_people, policies[name], COST_MS, PRICE)
    best = total_mm(
        test_people, oracle(error_from_deepest(test_people), COST_MS, PRICE)
    )
    nobody = total_mm(test_people, np.zeros(400, int))

    assert total_mm(test_people, routes) - best < 0.5 * (nobody - best)


def test_fits_are_the_same_again():
    first, again = (fit_policies([people(200)], COST_MS) for _ in range(2))

    assert first == again


def test_nobody_to_learn_from_is_refused():
    with pytest.raises(ValueError, match="want people to learn from"):
        cases([people(4).of(np.zeros(0, int))])


def test_a_penalty_draws_weights_to_zero_and_leaves_the_mean():
    rng = np.random.default_rng(0)
    inputs = rng.normal(3, 2, (500, 4))
    wanted = inputs @ [1.0, 0.0, -2.0, 0.0] + 7

    free = ridge(inputs, wanted, 1e-9)
    bound = ridge(inputs, wanted, 1e9)
    assert free.of(inputs) == pytest.approx(wanted, abs=1e-4)
    assert bound.of(inputs) == pytest.approx(np.full(500, wanted.mean()), abs=0.01)


def test_no_unit_is_in_both_halves():
    table = people(101)
    first, second = halves(table)

    assert not set(first.sequence) & set(second.sequence)
    assert len(first.frame) + len(second.frame) == 101


def test_promises_rise_with_the_price_and_bound_the_mean(policies, test_people):
    ladder = operating_points(test_people, policies["gain"], COST_MS)

    assert all(step["mean_extra_error_mm"] < step["extra_error_mm"] for step in ladder)
    assert ladder[0]["deep_ms_per_person"] > ladder[-1]["deep_ms_per_person"]
    assert ladder[0]["extra_error_mm"] < ladder[-1]["extra_error_mm"]


def test_the_balanced_price_keeps_nine_tenths_of_what_the_deepest_removes(
    policies, test_people
):
    price = balanced_price(test_people, policies["gain"], COST_MS)
    error = error_from_deepest(test_people)
    routes = play(test_people, policies["gain"], COST_MS, price)
    stored = error[:, 0] - error[np.arange(400), routes]

    assert stored.mean() >= 0.9 * (error[:, 0] - error[:, -1]).mean()


def test_promises_are_kept_on_other_people_as_often_as_they_say():
    world = people(4000, seed=3)
    policy = RandomPolicy()
    truth = {
        price: losses(
            world, error_from_deepest(world), play(world, policy, COST_MS, price)
        ).mean()
        for price in (0.1, 1.0)
    }
    units = np.unique(world.sequence)
    broken = []
    for seed in range(200):
        seen = np.random.default_rng(seed).choice(units, 60, replace=False)
        ladder = operating_points(
            world.of(np.isin(world.sequence, seen)), policy, COST_MS, (0.1, 1.0)
        )
        broken += [truth[step["price"]] > step["extra_error_mm"] for step in ladder]

    assert np.mean(broken) <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / 200)


def test_the_command_writes_what_the_policies_are_read_from(tmp_path):
    people(200).save(tmp_path / "table.npz")
    fit.main(
        [str(tmp_path / "table.npz"), "--out", str(tmp_path / "new" / "policies.json")]
    )
    written = json.loads((tmp_path / "new" / "policies.json").read_text())

    assert isinstance(next(iter(read_policies(written).values())), GainPolicy)
    assert written == json.loads(
        json.dumps(
            fit_policies([people(200)], fit.costs(fit.WEIGHTS / "manifest.json"))
        )
    )
