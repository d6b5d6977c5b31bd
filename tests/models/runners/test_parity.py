import numpy as np
import pytest

from posecascade.models.runners.parity import Agreement, agreement


def outputs(items: int, slots: int | None = None) -> dict[str, np.ndarray]:
    """People far apart from each other, in one slot (None) or several."""
    rng = np.random.default_rng(0)
    lead = (items,) if slots is None else (items, slots)
    return {
        "score": np.linspace(0.9, 0.6, int(np.prod(lead))).reshape(lead),
        "joints_px": rng.uniform(0, 400, (*lead, 25, 2)),
        "joint_scores": rng.random((*lead, 25)),
        "joints_rel_mm": rng.normal(0, 300, (*lead, 25, 3)),
        "sigma_mm": rng.uniform(20, 90, (*lead, 25)),
        "root_depth_mm": rng.uniform(2000, 6000, lead),
    }


@pytest.mark.parametrize("slots", [None, 3])
def test_an_execution_agrees_with_itself(slots):
    assert agreement(outputs(2, slots), outputs(2, slots)) == Agreement(
        2 * (slots or 1), 0, 0, 0, 0, 0
    )


def test_people_are_compared_by_place_and_not_by_slot():
    want = outputs(2, 3)
    swapped = {name: array[:, [2, 0, 1]] for name, array in want.items()}

    assert agreement(want, swapped).joints_mm == 0


def test_a_joint_that_moved_is_the_figure():
    want = outputs(2)
    got = outputs(2)
    got["joints_rel_mm"][1, 7] += [3.0, 0.0, 4.0]
    got["root_depth_mm"][0] += 7

    found = agreement(want, got)

    assert (found.joints_mm, found.root_mm, found.joints_px) == (
        pytest.approx(5),
        pytest.approx(7),
        0,
    )


def test_empty_slots_do_not_count():
    want = outputs(1, 3)
    got = outputs(1, 3)
    got["joints_rel_mm"][0, 2] += 1000

    assert agreement(want, got, min_score=0.7).people == 2
    assert agreement(want, got, min_score=0.7).joints_mm == 0


def test_nan_is_as_far_as_can_be():
    want = outputs(1)
    got = outputs(1)
    got["joints_rel_mm"][0, 0] = np.nan

    assert agreement(want, got).joints_mm == np.inf


def test_nobody_to_compare_is_nobody_compared():
    assert agreement(outputs(1), outputs(1), min_score=1).people == 0


def test_two_comparisons_join_to_the_worse():
    joined = Agreement(2, 1, 5, 3, 0, 0).worst_of(Agreement(1, 4, 2, 3, 0, 1))

    assert joined == Agreement(3, 4, 5, 3, 0, 1)
