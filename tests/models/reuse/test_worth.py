"""Facts about what a deep look is worth: who is looked at for the first time, and what carrying costs."""

from dataclasses import replace

import numpy as np
import pytest

from models.reuse.carrying import extra_mm
from models.reuse.memory import SOON_S, Memory
from models.reuse.worth import FIRST_MM, SERVES, UNSETTLED, carrying_mm, chance, first_mm
from tests.models.reuse.bodies import (
    ALTERNATING,
    DEEP,
    HERE,
    PICTURE,
    THERE,
    asked,
    doubted,
    knowing,
    look_deeper,
    looks,
)

STRANGER = (0, 0, 6000)
WITH_STRANGER = looks(HERE, THERE, STRANGER)


def test_a_stranger_among_known_people_is_looked_at_when_found_again():
    memory = knowing()
    first = look_deeper(memory, WITH_STRANGER, WITH_STRANGER, 0.04)
    again = look_deeper(memory, WITH_STRANGER, WITH_STRANGER, 0.08)

    assert first.due.tolist() == [False, False, False]
    assert again.due.tolist() == [False, False, True]
    assert asked(memory, WITH_STRANGER, 0.12).has.all()


@pytest.mark.parametrize("settings", [{"spare": False}, {"alone": True}, {"deep": False}])
def test_a_stranger_does_not_wait_where_everybody_is_looked_at_or_nothing_of_before_counts(settings):
    memory = knowing()
    memory.begin(0.04)

    assert memory.recall(PICTURE, WITH_STRANGER, None, **settings).due.all()


def test_a_stranger_does_not_wait_for_a_frame_that_is_long_in_coming():
    assert not asked(knowing(), WITH_STRANGER, SOON_S).due[2]
    assert asked(knowing(), WITH_STRANGER, SOON_S + 0.01).due[2]


def test_after_a_cut_and_in_an_empty_scene_nobody_waits():
    other = np.random.default_rng(1).integers(0, 255, PICTURE.shape, dtype=np.uint8)
    empty = Memory(ALTERNATING)
    look_deeper(empty, looks(), looks(), 0.0)

    assert asked(knowing(), WITH_STRANGER, 0.04, other).due.all()
    assert asked(empty, looks(HERE), 0.04).due.all()


@pytest.mark.parametrize(("target_mm", "due"), [(40.0, [True, False]), (10.0, [True, True]), (190.0, [False, False])])
def test_a_first_look_comes_where_it_is_expected_to_save_the_target(target_mm, due):
    people = replace(looks(HERE, THERE), score=np.array([0.9, 0.2]))  # times 0.9, what each joint is believed
    memory = Memory()
    memory.begin(0.0)

    assert memory.recall(PICTURE, people, None, target_mm=target_mm).due.tolist() == due


def test_a_first_look_saves_its_error_in_each_frame_that_it_serves():
    np.testing.assert_allclose(first_mm(np.array([0.0, 0.5, 1.0])), np.array([0.0, 0.5, 1.0]) * SERVES * FIRST_MM)


def test_a_look_is_worth_what_is_somebody_and_in_view():
    sure, nobody, hidden = chance(looks(HERE)), chance(looks(HERE, score=0.3)), chance(doubted(HERE, score=0.3))

    assert sure == pytest.approx(0.81)
    assert nobody == pytest.approx(0.27)
    assert hidden == pytest.approx(0.27)


@pytest.mark.parametrize("broken", [np.nan, np.inf])
def test_broken_scores_are_a_reason_to_look(broken):
    assert chance(looks(HERE, score=broken)) == 1


def test_carrying_costs_more_where_a_look_stands_alone_and_nothing_where_nobody_is():
    kept, away = looks(HERE, THERE), np.full(2, 60.0)
    one, four = (carrying_mm(away, kept, np.ones(2), np.full(2, count)) for count in (1, 4))

    np.testing.assert_allclose(one, extra_mm(away, kept) * (1 + UNSETTLED))
    np.testing.assert_allclose(four, extra_mm(away, kept) * (1 + UNSETTLED / 4))
    assert carrying_mm(away, kept, np.zeros(2), np.ones(2, int)).tolist() == [0, 0]


def test_looks_are_counted_until_one_is_given_up():
    memory, counts = knowing(), []
    for frame in range(1, 10):
        counts.append(asked(memory, looks(HERE, THERE), 0.04 * frame).known.looks[0])
        look_deeper(memory, looks(HERE, THERE), DEEP, 0.04 * frame)
    look_deeper(memory, looks(HERE, THERE), DEEP, 2.0)  # a pause: everybody is new

    assert counts == [1, 1, 1, 1, 2, 2, 2, 2, 3]
    assert asked(memory, looks(HERE, THERE), 2.04).known.looks.tolist() == [1, 1]


def test_a_look_after_one_that_was_given_up_stands_alone():
    memory, turned = knowing(), looks(HERE, THERE, turn_deg=100)
    for frame in range(1, 5):
        look_deeper(memory, looks(HERE, THERE), DEEP, 0.04 * frame)
    look_deeper(memory, turned, turned, 0.2)
    again = look_deeper(memory, turned, turned, 0.24)

    assert again.known.looks.tolist() == [2, 2]
    assert not again.has.any()
    assert asked(memory, turned, 0.28).known.looks.tolist() == [1, 1]
