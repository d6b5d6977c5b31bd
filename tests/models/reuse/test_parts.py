"""Facts about the parts of a memory: settings, scenes, clocks, deviations, corrections."""

import numpy as np
import pytest

from models.reuse.carrying import corrections, deviation_mm, extra_mm, widened
from models.reuse.clock import FIRST_S, LONGEST_S, SHORTEST_S, UNTRIED_S, adapted
from models.reuse.deviation import INPUTS, Deviation
from models.reuse.fit import Samples, fit
from models.reuse.scene import glimpse, is_cut
from models.reuse.settings import Reuse
from models.reuse.turning import turned
from tests.models.reuse.bodies import looks
from tests.standing import standing_mm

HERE = (0, 0, 4000)


@pytest.mark.parametrize(("settings", "wrong"), [
    ({"clock": False, "decide": False}, "when a look is due"), ({"target_mm": 0}, "target_mm"),
    ({"target_mm": float("nan")}, "target_mm"), ({"every": 0}, "every"), ({"coin": 1.5}, "coin")])
def test_settings_that_mean_nothing_are_refused(settings, wrong):
    with pytest.raises(ValueError, match=wrong):
        Reuse(**settings)


@pytest.mark.parametrize("shape", [(1, 1, 3), (5, 700, 3), (1080, 1920, 3)])
def test_a_glimpse_has_one_size_whatever_the_picture_has(shape):
    assert glimpse(np.zeros(shape, np.uint8)).shape == (9, 16)


def test_light_is_no_cut_and_another_picture_is_one():
    one, other = (np.random.default_rng(seed).integers(0, 255, (90, 160, 3), dtype=np.uint8) for seed in (0, 1))

    assert not is_cut(glimpse(one), glimpse(one // 3))
    assert is_cut(glimpse(one), glimpse(other))
    assert not is_cut(glimpse(one), glimpse(np.full_like(one, 90)))  # too flat to say


def test_an_interval_grows_and_shrinks_within_bounds():
    interval = np.full(3, 0.2)
    for _ in range(50):
        interval = adapted(interval, np.array([1.0, 20.0, 500.0]), 20.0)

    np.testing.assert_allclose(interval, [LONGEST_S, 0.2, SHORTEST_S])
    assert adapted(np.array([UNTRIED_S]), np.array([20.0]), 20.0).tolist() == [FIRST_S]


def test_a_turn_is_told_by_shoulders_and_hips():
    body = standing_mm()[None]
    for degrees, expected in ((0, False), (40, False), (90, True), (180, True)):
        cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
        now = body @ np.array([[cos, 0, -sin], [0, 1, 0], [sin, 0, cos]])
        assert turned(body, now).tolist() == [expected]
    assert not turned(body, np.zeros_like(body)).any()


def test_a_correction_is_what_the_deep_look_adds():
    coarse, deep = looks(HERE), looks(HERE, off_mm=np.array([3, 0, 4]))
    px, mm, depth = corrections(deep, coarse)

    assert not px.any()
    np.testing.assert_allclose(mm[0], np.tile([3, 0, 4], (25, 1)))
    np.testing.assert_allclose(depth, 0)
    np.testing.assert_allclose(deviation_mm(coarse, deep), [5])


def test_doubt_adds_up_as_variances_do():
    one = looks(HERE, sigma_mm=30)

    np.testing.assert_allclose(widened(one, np.array([40.0])).sigma_mm, 50)
    assert extra_mm(np.zeros(1), one).tolist() == [0]
    assert extra_mm(np.full(1, 50.0), one) > extra_mm(np.full(1, 50.0), looks(HERE, sigma_mm=200))


def test_fitting_finds_what_made_the_deviations():
    rng = np.random.default_rng(2)
    truth = rng.uniform(0, 20, len(INPUTS))
    inputs = rng.uniform(0, 1, (2000, len(INPUTS)))
    fitted = fit(Samples([inputs], [inputs @ truth + 7 + rng.normal(0, 1, 2000)]), 20.0)

    np.testing.assert_allclose(fitted.weights, truth, atol=1)
    assert fitted.bias == pytest.approx(7, abs=1)
    assert Deviation.read(fitted.as_json()) == fitted
    assert (fitted.expected_mm(np.full((1, len(INPUTS)), -1e6)) >= 0).all()


def test_too_little_to_fit_on_is_said():
    with pytest.raises(ValueError, match="longer films"):
        fit(Samples(), 20.0)


@pytest.mark.parametrize("change", [{"weights": [1.0]}, {"inputs": ["age"]}, {"target_mm": 0}, {"bias": float("nan")}])
def test_parameters_of_another_fit_are_refused(change):
    good = Deviation(tuple(1.0 for _ in INPUTS), 0.0, 20.0).as_json()
    with pytest.raises(ValueError, match="reuse"):
        Deviation.read(good | change)
