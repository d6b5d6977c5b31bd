"""Facts about when a stream looks at somebody again."""

import numpy as np
import pytest

from models.records import Stage
from models.reuse.deviation import INPUTS, Deviation
from models.reuse.memory import Memory
from models.reuse.settings import Reuse
from models.reuse.worth import SERVES
from tests.models.reuse.bodies import ALTERNATING, DEEP, HERE, PICTURE, THERE, knowing, look_deeper, looks


def test_alternation_asks_on_each_nth_frame():
    memory, due = Memory(ALTERNATING), []
    for frame in range(9):
        due.append(look_deeper(memory, looks(HERE, THERE), DEEP, 0.04 * frame).due.all())

    assert due == [True, False, False, False] * 2 + [True]


def test_a_coin_asks_at_its_rate_and_says_the_same_again():
    def thrown():
        memory = Memory(Reuse(clock=False, decide=False, coin=0.3, seed=4))
        return [look_deeper(memory, looks(HERE, THERE), DEEP, 0.04 * frame).due.tolist() for frame in range(300)]

    first = thrown()
    assert np.mean(first) == pytest.approx(0.3, abs=0.05)
    assert first == thrown()


def looked_at(deep_of, frames=100):
    """How often a clock asks where the deep looks are these, by frame number."""
    memory = Memory(Reuse(clock=True, decide=False))
    return sum(look_deeper(memory, looks(HERE), deep_of(frame), 0.04 * frame).due.sum() for frame in range(frames))


def test_without_a_fitted_regressor_the_clock_stands_in_for_it():
    counts = []
    for reuse in (Reuse(), Reuse(clock=True, decide=False)):
        memory = Memory(reuse)
        counts.append([look_deeper(memory, looks(HERE), looks(HERE, off_mm=30), 0.04 * frame).due.tolist()
                       for frame in range(40)])

    assert counts[0] == counts[1]
    assert 0 < sum(map(sum, counts[0])) < 40


def test_the_clock_slows_down_where_poses_agree_and_not_where_they_do_not():
    agreeing = looked_at(lambda frame: looks(HERE, off_mm=30))
    quarrelling = looked_at(lambda frame: looks(HERE, off_mm=300.0 * np.random.default_rng(frame).normal(size=3)))

    assert agreeing <= 10
    assert quarrelling >= 2 * agreeing


DOUBTFUL = Deviation(tuple(0.0 for _ in INPUTS), 60.0, 20.0)


def expecting(memory, deviation, at, target_mm=None, **settings):
    memory.begin(at)
    return memory.recall(PICTURE, looks(HERE, THERE), deviation, target_mm=target_mm, **settings)


@pytest.mark.parametrize(("target_mm", "due"), [(None, True), (1.0, True), (200.0, False)])
def test_the_expected_deviation_decides_by_a_target_that_may_change_at_any_frame(target_mm, due):
    recall = expecting(knowing(Reuse()), DOUBTFUL, 0.04, target_mm)

    assert recall.due.tolist() == [due, due]
    assert recall.expected_mm.tolist() == [60.0, 60.0]


def growing(per_second_mm):
    """Expects deviations that grow by so much a second."""
    return Deviation((per_second_mm, *(0.0 for _ in INPUTS[1:])), 0.0, 20.0)


def held_for(deviation, target_mm, frames=400):
    """Frames that are answered by the look of before, and what is expected of each of the first run."""
    memory, extra = knowing(Reuse()), []
    for frame in range(1, frames):
        recall = expecting(memory, deviation, 0.004 * frame, target_mm)
        if recall.due.any():
            break
        extra.append(recall.extra_mm[0])
        memory.learn(recall, looks(HERE, THERE), recall.carried, [Stage.EXPERT] * 2, np.ones(2, bool))
    return len(extra), np.array([*extra, recall.extra_mm[0]])


@pytest.mark.parametrize("per_second_mm", [500.0, 2000.0, 8000.0])
def test_a_run_ends_where_the_mean_error_and_the_looks_price_are_least(per_second_mm):
    length, extra = held_for(growing(per_second_mm), 20.0)
    mean = (20.0 + np.cumsum(np.append(0.0, extra))) / np.arange(1, len(extra) + 2)  # of runs of 0, 1, 2, ... frames

    assert 0 < length < 300
    assert np.argmin(mean) == length


def test_who_changes_fast_may_be_off_by_more_and_who_changes_slowly_by_less():
    slow, fast = (held_for(growing(rate), 20.0)[1][-2] for rate in (500.0, 8000.0))

    assert fast > 1.5 * slow


def test_the_router_is_told_what_a_fresh_look_saves_a_frame_beyond_the_carried_one():
    memory = knowing(Reuse())
    for frame in (1, 2):
        recall = expecting(memory, growing(2000.0), 0.01 * frame, 1e6)
        memory.learn(recall, looks(HERE, THERE), recall.carried, [Stage.EXPERT] * 2, np.ones(2, bool))
    first, second = recall.spent_mm[0], recall.extra_mm[0]
    recall = expecting(memory, growing(2000.0), 0.03, 1e6)

    np.testing.assert_allclose(recall.past.saving_mm, (3 * recall.extra_mm - first - second) / SERVES)
    assert 0 < first < second


@pytest.mark.parametrize("settings", [{"deep": False}, {"alone": True}])
def test_nothing_is_saved_where_no_look_is_carried(settings):
    assert np.isinf(expecting(knowing(Reuse()), DOUBTFUL, 0.04, **settings).past.saving_mm).all()
    assert np.isinf(expecting(Memory(), DOUBTFUL, 0.04).past.saving_mm).all()


def test_nobody_is_spared_where_everybody_is_to_be_looked_at():
    recall = expecting(knowing(Reuse()), DOUBTFUL, 0.04, 1e6, spare=False)

    assert recall.due.all()
    assert recall.has.all()
