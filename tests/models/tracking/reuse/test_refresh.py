"""Facts about refreshes: what one is worth, what propagation costs, and when the product's rule refreshes."""

from dataclasses import replace

import numpy as np
import pytest

from posecascade.models.lab.fitting.reuse import Samples, fit
from posecascade.models.records import Stage
from posecascade.models.tracking.reuse.memory import RECENT_S, Memory
from posecascade.models.tracking.reuse.refresh import (
    FIRST_INTERVAL_S,
    FRAMES_PER_REFRESH,
    INPUTS,
    LONGEST_INTERVAL_S,
    NEW_TRACK_GAIN_MM,
    SHORTEST_INTERVAL_S,
    SINGLE_REFRESH_PENALTY,
    UNTRIED_INTERVAL_S,
    AccumulatedError,
    DeviationModel,
    adapted_interval_s,
    extra_error_mm,
    new_track_gain_mm,
    propagation_cost_mm,
    visible_probability,
)
from posecascade.models.tracking.reuse.settings import Reuse
from tests.models.tracking.reuse.bodies import (
    EVERY_4,
    IMAGE,
    LEFT,
    REFINED,
    RIGHT,
    TWO_PEOPLE,
    detections,
    memory_of_two,
    predict,
    run_frame_at,
)

ANOTHER_IMAGE = np.random.default_rng(1).integers(0, 255, IMAGE.shape, dtype=np.uint8)
WITH_UNMATCHED = detections(LEFT, RIGHT, (0, 0, 6000))
SIXTY_MM = DeviationModel(tuple(0.0 for _ in INPUTS), 60.0, 20.0)


@pytest.mark.parametrize("target_mm", [0, -1, float("nan"), float("inf")])
def test_a_target_that_means_nothing_is_refused(target_mm):
    with pytest.raises(ValueError, match="target_mm"):
        Reuse(target_mm=target_mm)


# The first refinement.


def test_an_unmatched_detection_beside_known_people_is_refined_when_found_again():
    memory = memory_of_two()
    first = run_frame_at(memory, 0.04, WITH_UNMATCHED, WITH_UNMATCHED)
    second = run_frame_at(memory, 0.08, WITH_UNMATCHED, WITH_UNMATCHED)

    assert first.needs_refresh.tolist() == [False, False, False]
    assert second.needs_refresh.tolist() == [False, False, True]
    assert predict(memory, WITH_UNMATCHED, 0.12).has.all()


@pytest.mark.parametrize(
    "settings",
    [{"reuse_allowed": False}, {"isolate_frame": True}, {"deep_allowed": False}],
)
def test_an_unmatched_detection_does_not_wait_where_everybody_is_refined(settings):
    memory = memory_of_two()
    memory.begin(0.04)

    assert memory.predict(IMAGE, WITH_UNMATCHED, None, **settings).needs_refresh.all()


def test_an_unmatched_detection_does_not_wait_at_a_low_frame_rate():
    soon = predict(memory_of_two(), WITH_UNMATCHED, RECENT_S)
    late = predict(memory_of_two(), WITH_UNMATCHED, RECENT_S + 0.01)

    assert not soon.needs_refresh[2]
    assert late.needs_refresh[2]


def test_nobody_waits_after_a_cut_or_in_an_empty_scene():
    after_cut = predict(memory_of_two(), WITH_UNMATCHED, 0.04, ANOTHER_IMAGE)
    empty = Memory(rule=EVERY_4)
    run_frame_at(empty, 0.0, detections(), detections())

    assert after_cut.needs_refresh.all()
    assert predict(empty, detections(LEFT), 0.04).needs_refresh.all()


@pytest.mark.parametrize(
    ("target_mm", "needs_refresh"),
    [(40.0, [True, False]), (10.0, [True, True]), (190.0, [False, False])],
)
def test_a_first_refinement_comes_where_it_is_expected_to_save_the_target(
    target_mm, needs_refresh
):
    people = replace(TWO_PEOPLE, score=np.array([0.9, 0.2]))
    memory = Memory()
    memory.begin(0.0)
    prediction = memory.predict(IMAGE, people, None, target_mm=target_mm)

    assert prediction.needs_refresh.tolist() == needs_refresh


def test_a_first_refinement_saves_its_gain_in_each_frame_that_it_serves():
    probability = np.array([0.0, 0.5, 1.0])
    expected_mm = probability * FRAMES_PER_REFRESH * NEW_TRACK_GAIN_MM

    np.testing.assert_allclose(new_track_gain_mm(probability), expected_mm)


def visible(people):
    return visible_probability(people.score, people.joint_scores)


def test_a_false_detection_and_a_hidden_person_are_seldom_visible():
    false = detections(LEFT, score=0.3)
    hidden = detections(LEFT, joint_score=0.3)

    assert visible(detections(LEFT)) == pytest.approx(0.81)
    assert visible(false) == pytest.approx(0.27)
    assert visible(hidden) == pytest.approx(0.27)


@pytest.mark.parametrize("broken", [np.nan, np.inf])
def test_broken_scores_count_as_visible(broken):
    assert visible(detections(LEFT, score=broken)) == 1


# The cost of propagation.


def test_a_deviation_adds_less_to_an_estimate_of_greater_error():
    sharp = np.array([30.0])
    doubtful = np.array([200.0])

    assert extra_error_mm(np.zeros(1), sharp).tolist() == [0]
    assert extra_error_mm(np.array([40.0]), sharp) == pytest.approx(20)
    assert extra_error_mm(np.array([40.0]), doubtful) < 5


def test_propagation_costs_more_after_one_refinement_and_nothing_where_nobody_is():
    away_mm = np.full(2, 60.0)
    error_mm = np.full(2, 35.0)
    extra_mm = extra_error_mm(away_mm, error_mm)
    once = propagation_cost_mm(away_mm, error_mm, np.ones(2), np.full(2, 1))
    four_times = propagation_cost_mm(away_mm, error_mm, np.ones(2), np.full(2, 4))
    nobody = propagation_cost_mm(away_mm, error_mm, np.zeros(2), np.full(2, 1))

    np.testing.assert_allclose(once, extra_mm * (1 + SINGLE_REFRESH_PENALTY))
    np.testing.assert_allclose(four_times, extra_mm * (1 + SINGLE_REFRESH_PENALTY / 4))
    assert nobody.tolist() == [0, 0]


def test_refreshes_are_counted_until_everybody_is_new():
    memory = memory_of_two()
    counts = []
    for number in range(1, 10):
        time_s = 0.04 * number
        counts.append(predict(memory, TWO_PEOPLE, time_s).tracks.refreshes[0])
        run_frame_at(memory, time_s, TWO_PEOPLE, REFINED)
    run_frame_at(memory, 2.0, TWO_PEOPLE, REFINED)  # after a pause

    assert counts == [1, 1, 1, 1, 2, 2, 2, 2, 3]
    assert predict(memory, TWO_PEOPLE, 2.04).tracks.refreshes.tolist() == [1, 1]


def test_the_count_starts_anew_where_an_estimate_was_dropped():
    memory = memory_of_two()
    rotated = detections(LEFT, RIGHT, turn_deg=100)
    for number in range(1, 5):
        run_frame_at(memory, 0.04 * number, TWO_PEOPLE, REFINED)
    run_frame_at(memory, 0.2, rotated, rotated)
    second = run_frame_at(memory, 0.24, rotated, rotated)

    assert second.tracks.refreshes.tolist() == [2, 2]
    assert not second.has.any()
    assert predict(memory, rotated, 0.28).tracks.refreshes.tolist() == [1, 1]


# The product's rule.


def product_memory():
    return memory_of_two(rule=AccumulatedError())


def predict_with(memory, deviation, time_s, target_mm=None, **settings):
    memory.begin(time_s)
    return memory.predict(IMAGE, TWO_PEOPLE, deviation, target_mm=target_mm, **settings)


def reuse_all(memory, prediction):
    memory.update(
        prediction,
        TWO_PEOPLE,
        prediction.propagated,
        [Stage.EXPERT] * 2,
        np.ones(2, bool),
    )


def growing(mm_per_s):
    """A model whose expected deviation grows with the age of the estimate."""
    return DeviationModel((mm_per_s, *(0.0 for _ in INPUTS[1:])), 0.0, 20.0)


@pytest.mark.parametrize(
    ("target_mm", "needs_refresh"), [(None, True), (1.0, True), (200.0, False)]
)
def test_the_expected_deviation_decides_by_the_target_of_the_frame(
    target_mm, needs_refresh
):
    prediction = predict_with(product_memory(), SIXTY_MM, 0.04, target_mm)

    assert prediction.needs_refresh.tolist() == [needs_refresh, needs_refresh]
    assert prediction.expected_mm.tolist() == [60.0, 60.0]


def first_run(deviation, target_mm):
    """Frames until the first refresh, and the expected extra error of each and of the one that is refreshed."""
    memory = product_memory()
    extra_mm = []
    for number in range(1, 400):
        prediction = predict_with(memory, deviation, 0.004 * number, target_mm)
        extra_mm.append(prediction.extra_mm[0])
        if prediction.needs_refresh.any():
            break
        reuse_all(memory, prediction)
    return len(extra_mm) - 1, np.array(extra_mm)


@pytest.mark.parametrize("mm_per_s", [500.0, 2000.0, 8000.0])
def test_a_run_ends_where_the_mean_of_error_and_refresh_is_least(mm_per_s):
    length, extra_mm = first_run(growing(mm_per_s), 20.0)
    total_mm = 20.0 + np.cumsum(np.append(0.0, extra_mm))
    mean_mm = total_mm / np.arange(1, len(total_mm) + 1)

    assert 0 < length < 300
    assert np.argmin(mean_mm) == length


def test_people_who_change_fast_may_be_off_by_more():
    _, slow_mm = first_run(growing(500.0), 20.0)
    _, fast_mm = first_run(growing(8000.0), 20.0)

    assert fast_mm[-2] > 1.5 * slow_mm[-2]


def test_the_router_is_given_what_a_refresh_saves_a_frame():
    memory = product_memory()
    accumulated_mm = np.zeros(2)
    for number in (1, 2):
        prediction = predict_with(memory, growing(2000.0), 0.01 * number, 1e6)
        accumulated_mm += prediction.extra_mm
        reuse_all(memory, prediction)
    prediction = predict_with(memory, growing(2000.0), 0.03, 1e6)

    run_mm = 3 * prediction.extra_mm
    expected_mm = (run_mm - accumulated_mm) / FRAMES_PER_REFRESH
    np.testing.assert_allclose(prediction.temporal.saving_mm, expected_mm)
    assert (accumulated_mm > 0).all()
    assert (expected_mm > 0).all()


@pytest.mark.parametrize("settings", [{"deep_allowed": False}, {"isolate_frame": True}])
def test_the_saving_is_unbounded_where_nothing_is_reused(settings):
    unused = predict_with(product_memory(), SIXTY_MM, 0.04, **settings)
    new = predict_with(Memory(), SIXTY_MM, 0.04)

    assert np.isinf(unused.temporal.saving_mm).all()
    assert np.isinf(new.temporal.saving_mm).all()


def test_everybody_is_refreshed_where_reuse_is_not_allowed():
    prediction = predict_with(
        product_memory(), SIXTY_MM, 0.04, 1e6, reuse_allowed=False
    )

    assert prediction.needs_refresh.all()
    assert prediction.has.all()


# The adaptive interval, where no deviation model is fitted.


def test_an_interval_grows_and_shrinks_within_bounds():
    interval_s = np.full(3, 0.2)
    for _ in range(50):
        interval_s = adapted_interval_s(interval_s, np.array([1.0, 20.0, 500.0]), 20.0)
    untried_s = np.array([UNTRIED_INTERVAL_S])

    expected_s = [LONGEST_INTERVAL_S, 0.2, SHORTEST_INTERVAL_S]
    np.testing.assert_allclose(interval_s, expected_s)
    first_s = adapted_interval_s(untried_s, np.array([20.0]), 20.0)
    assert first_s.tolist() == [FIRST_INTERVAL_S]


def test_without_a_fitted_model_the_second_frame_refreshes_and_then_fewer_and_fewer():
    memory = Memory()
    refreshed = [
        number
        for number in range(60)
        if run_frame_at(
            memory, 0.04 * number, detections(LEFT), detections(LEFT, off_mm=30)
        ).needs_refresh.any()
    ]
    gaps = np.diff(refreshed)

    assert refreshed[:2] == [0, 1]
    assert (np.diff(gaps) >= 0).all()
    assert gaps[-1] > gaps[1] > 1


# The deviation model.


def test_the_fit_finds_the_weights_that_made_the_deviations():
    rng = np.random.default_rng(2)
    weights = rng.uniform(0, 20, len(INPUTS))
    inputs = rng.uniform(0, 1, (2000, len(INPUTS)))
    off_mm = inputs @ weights + 7 + rng.normal(0, 1, 2000)
    fitted = fit(Samples([inputs], [off_mm]), 20.0)

    np.testing.assert_allclose(fitted.weights, weights, atol=1)
    assert fitted.bias == pytest.approx(7, abs=1)
    assert DeviationModel.read(fitted.as_json()) == fitted
    assert (fitted.expected_mm(np.full((1, len(INPUTS)), -1e6)) >= 0).all()


def test_too_few_samples_to_fit_are_refused():
    with pytest.raises(ValueError, match="longer films"):
        fit(Samples(), 20.0)


@pytest.mark.parametrize(
    "change",
    [
        {"weights": [1.0]},
        {"weights": [1.0] * (len(INPUTS) + 1)},
        {"inputs": ["age"]},
        {"target_mm": 0},
        {"bias": float("nan")},
    ],
)
def test_parameters_of_another_fit_are_refused(change):
    table = DeviationModel(tuple(1.0 for _ in INPUTS), 0.0, 20.0).as_json()
    with pytest.raises(ValueError, match="reuse"):
        DeviationModel.read(table | change)
