"""Facts about steadiness, on paths whose noise and delay are known."""

import numpy as np
import pytest

from posecascade.models.lab.evaluation.streams.steadiness import (
    LATEST,
    SHIFTS,
    acceleration_error,
    lag_frames,
    mean_error,
    oks,
    runs,
    still,
    trembling,
)

RNG = np.random.default_rng(11)
T = 120
J = 12
W = 12


def at_rest(people: int = 3) -> np.ndarray:
    return np.broadcast_to(RNG.normal(0, 400, (people, 1, J, 3)), (people, T, J, 3))


def swinging(late: float = 0.0) -> np.ndarray:
    """[1, T, 2, 3] two joints at 1 and 1.5 Hz of 25 frames a second."""
    time = (np.arange(T) - late) / 25
    path = np.zeros((1, T, 2, 3))
    path[0, :, 0, 1] = 200 * np.sin(2 * np.pi * time)
    path[0, :, 1, 0] = 100 * np.sin(2 * np.pi * 1.5 * time + 1)
    return path


def root_mean(sums: np.ndarray) -> float:
    return float(np.sqrt(sums[:, 2].sum() / sums[:, 1].sum()))


def test_a_still_joint_trembles_by_the_noise_on_it() -> None:
    truth = at_rest()
    predicted = truth + RNG.normal(0, 6.0, truth.shape)

    sums = trembling(predicted, truth, still(truth, W, 10), W)

    assert root_mean(sums) == pytest.approx(6 * 3**0.5, rel=0.03)
    assert sums[:, 0].sum() / sums[:, 1].sum() == pytest.approx(6 * 3**0.5, rel=0.05)
    assert sums[:, 1].tolist() == [(T - W + 1) * J] * 3


def test_what_is_wrong_in_the_same_way_all_the_while_is_no_trembling() -> None:
    truth = at_rest()

    assert root_mean(
        trembling(truth + [50, -20, 90], truth, still(truth, W, 10), W)
    ) == pytest.approx(0, abs=1e-6)


def test_a_joint_that_moves_is_not_asked_for_trembling() -> None:
    truth = swinging()

    assert not still(truth, W, 10).any()
    assert trembling(truth, truth, still(truth, W, 10), W).tolist() == [[0, 0, 0]]


def test_a_frame_without_an_answer_takes_the_stretches_over_it_away() -> None:
    truth = at_rest(1)
    predicted = truth.copy()
    predicted[0, 40] = np.nan

    assert (
        trembling(predicted, truth, still(truth, W, 10), W)[0, 1] == (T - W + 1 - W) * J
    )


def test_a_film_shorter_than_a_stretch_has_none() -> None:
    truth = at_rest()[:, : W - 1]

    assert trembling(truth, truth, still(truth, W, 10), W).tolist() == [[0, 0, 0]] * 3


def test_the_acceleration_error_of_a_parabola_is_its_bend() -> None:
    truth = np.zeros((1, T, J, 3))
    predicted = truth.copy()
    predicted[..., 2] = 4.0 * np.arange(T)[:, None] ** 2 + 30 * np.arange(T)[:, None]

    total, count = acceleration_error(predicted, truth)[0]

    assert (total / count, count) == (pytest.approx(8.0), (T - 2) * J)


def test_the_mean_error_skips_what_is_unknown() -> None:
    truth = at_rest(1)
    predicted = truth + [3, 0, 4]
    predicted[0, :60] = np.nan

    assert mean_error(predicted, truth)[0] == pytest.approx([5 * 60 * J, 60 * J])


@pytest.mark.parametrize("late", [0.0, 0.4, 1.0, 2.3, -1.5])
def test_the_lag_of_a_delayed_swing_is_its_delay(late: float) -> None:
    predicted = 0.7 * swinging(late) + 80 + RNG.normal(0, 10, (1, T, 2, 3))

    assert lag_frames(oks(predicted, swinging(), 30).sum(0)) == pytest.approx(
        late, abs=0.12
    )


def test_the_lag_of_an_exponential_average_is_its_phase_delay() -> None:
    truth, weight, turn = (
        swinging()[:, :, :1],
        0.4,
        2 * np.pi / 25,
    )  # a swing of 1 Hz, radians a frame
    predicted = truth.copy()
    for frame in range(1, T):
        predicted[:, frame] = predicted[:, frame - 1] + weight * (
            truth[:, frame] - predicted[:, frame - 1]
        )
    stored = 1 - weight
    delay = np.arctan2(stored * np.sin(turn), 1 - stored * np.cos(turn)) / turn

    assert lag_frames(oks(predicted, truth, 30).sum(0)) == pytest.approx(
        delay, abs=0.03
    )


def test_a_lag_beyond_the_shifts_is_their_end() -> None:
    predicted = swinging(LATEST + 1.5)

    assert lag_frames(oks(predicted, swinging(), 30).sum(0)) == SHIFTS[-1]


def test_where_nothing_moves_there_is_no_lag() -> None:
    truth = at_rest()

    assert np.isnan(
        lag_frames(oks(truth + RNG.normal(0, 5, truth.shape), truth, 30).sum(0))
    )


def test_paths_that_are_broken_too_often_say_nothing_of_lag() -> None:
    predicted = swinging()
    predicted[0, ::15] = np.nan

    assert not oks(predicted, swinging(), 30).any()


def test_runs_are_told_by_their_ends() -> None:
    assert runs(np.array([1, 1, 0, 1, 0, 0, 1], bool)) == [(0, 2), (3, 4), (6, 7)]
    assert runs(np.zeros(3, bool)) == []
