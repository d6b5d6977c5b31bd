"""Facts about the One-Euro filter."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from posecascade.models.tracking.one_euro import OneEuro, Smoothed

FILTER = OneEuro(min_cutoff_hz=1.0, slope_hz_per_speed=0.01)
TRACKS = arrays(np.float64, (12, 1, 2, 3), elements=st.floats(-1e3, 1e3))
TIMES = arrays(np.float64, 12, elements=st.floats(0.005, 0.5)).map(np.cumsum)


def run(filter_, values, times_s, trust=1.0):
    """[F, P, N, D] filtered, started at the first."""
    state = Smoothed.empty(*values.shape[2:]).taken(np.full(values.shape[1], -1))
    last = -np.inf
    out = []
    for value, time in zip(values, times_s, strict=True):
        state = filter_.step(state, value, np.full(len(value), time - last), trust)
        out.append(state.values)
        last = time
    return np.array(out)


def rotation(seed):
    q, _ = np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))
    return q


@given(TRACKS, TIMES, st.integers(0, 9))
def test_a_turned_and_shifted_motion_is_smoothed_to_the_turned_and_shifted_answer(
    values, times, seed
):
    turn = rotation(seed)
    shift = np.array([5.0, -40.0, 900.0])

    np.testing.assert_allclose(
        run(FILTER, values @ turn + shift, times),
        run(FILTER, values, times) @ turn + shift,
        atol=1e-6,
    )


@given(TRACKS, TIMES, st.floats(-1e5, 1e5))
def test_only_differences_of_time_matter(values, times, epoch):
    np.testing.assert_allclose(
        run(FILTER, values, times + epoch), run(FILTER, values, times), atol=1e-4
    )


@given(TRACKS, TIMES)
def test_the_filtered_value_lies_between_the_last_one_and_the_new_one(values, times):
    smooth = run(FILTER, values, times)
    before = smooth[:-1]
    now = values[1:]
    whole = np.maximum(np.square(now - before).sum(axis=-1), 1e-9)
    share = ((smooth[1:] - before) * (now - before)).sum(axis=-1) / whole

    assert ((share >= -1e-6) & (share <= 1 + 1e-6)).all()


@given(TRACKS, TIMES)
def test_each_point_is_filtered_by_itself(values, times):
    together = run(FILTER, values, times)
    alone = run(FILTER, values[:, :, 1:], times)

    np.testing.assert_allclose(together[:, :, 1:], alone, atol=1e-9)


def test_agrees_with_the_paper_where_there_is_one_coordinate():
    values = np.random.default_rng(0).normal(size=50).cumsum() * 30
    times = np.arange(50) / 30
    smooth = values[0]
    speed = 0.0
    expected = [values[0]]
    for value in values[1:]:
        weight = lambda cutoff: 1 / (1 + 30 / (2 * np.pi * cutoff))  # noqa: E731 - the paper's alpha
        speed += weight(1.0) * ((value - smooth) * 30 - speed)
        smooth += weight(1.0 + 0.01 * abs(speed)) * (value - smooth)
        expected.append(smooth)

    np.testing.assert_allclose(
        run(FILTER, values[:, None, None, None], times).ravel(), expected
    )


def test_an_uncertain_joint_is_smoothed_more():
    noise = np.random.default_rng(0).normal(scale=20, size=(300, 1, 2, 3))
    smooth = run(
        OneEuro(1.0, 0.01, rest_speed=300.0),
        noise,
        np.arange(300) / 30,
        trust=np.array([1.0, 0.2]),
    )
    sharp, uncertain = smooth[50:].std(axis=(0, 1, 3))

    assert uncertain < 0.6 * sharp < 0.3 * 20


def test_a_fast_motion_lags_less_than_a_fixed_filter_would():
    line = (np.arange(60) / 30 * 3000)[:, None, None, None] * np.ones(3)
    times = np.arange(60) / 30
    lag = np.abs(run(FILTER, line, times) - line)[-1].max()

    assert lag < 0.15 * np.abs(run(OneEuro(1.0, 0.0), line, times) - line)[-1].max()


@pytest.mark.parametrize("elapsed", [0.0, -0.04])
def test_an_equal_or_earlier_stamp_leaves_everything_as_it_was(elapsed):
    state = FILTER.step(
        Smoothed.empty(1, 1).taken(np.array([-1])),
        np.array([[[7.0]]]),
        np.array([np.inf]),
    )
    late = FILTER.step(state, np.array([[[500.0]]]), np.array([elapsed]))

    assert late.values.item() == 7.0
    assert late.velocity.item() == 0.0


def test_an_infinite_gap_starts_anew_without_speed():
    state = Smoothed(np.array([[[7.0]]]), np.array([[[300.0]]]))
    anew = FILTER.step(state, np.array([[[500.0]]]), np.array([np.inf]))

    assert (anew.values.item(), anew.velocity.item()) == (500.0, 0.0)


def test_nobody_is_smoothed_to_nobody():
    assert FILTER.step(
        Smoothed.empty(25, 3), np.zeros((0, 25, 3)), np.zeros(0)
    ).values.shape == (
        0,
        25,
        3,
    )
