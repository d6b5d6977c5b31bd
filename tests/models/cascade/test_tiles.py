"""Facts about the parts of a frame where somebody may have been missed."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from posecascade.models.cascade.tiles import (
    MAX_FRAME_SCALE,
    MIN_NEW,
    Tile,
    expected_new_people,
    merged,
    new_detections,
    promising_tiles,
    tiles,
)
from posecascade.models.detections import Detections
from posecascade.models.options import MAX_TILES
from tests.models.test_detections import detections_of

WHOLE = Tile(0, 0, 640, 480)
SCALE = 0.4
NEAR = (0.0, 4000.0, 0.9)
SMALL = (1500.0, 9000.0, 0.9)
"""Standing 101 and 45 pixels tall at this scale."""


def everybody(detections: Detections) -> np.ndarray:
    return np.arange(len(detections))


@given(
    st.integers(1, 3000), st.integers(1, 3000), st.integers(0, 500), st.integers(0, 500)
)
def test_tiles_are_of_one_size_and_cover_the_region_and_nothing_else(
    width, height, x, y
):
    where = tiles(Tile(x, y, width, height))

    assert len(where) == MAX_TILES
    assert len({(tile.width, tile.height) for tile in where}) == 1
    for begins, size, start, length in (
        ({t.x for t in where}, where[0].width, x, width),
        ({t.y for t in where}, where[0].height, y, height),
    ):
        assert min(begins) == start
        assert max(begins) + size == start + length
        assert all(
            later - earlier <= size for earlier, later in pairwise(sorted(begins))
        )


def test_small_people_and_faint_small_slots_promise_others_and_near_people_do_not():
    slots = detections_of(NEAR, SMALL, (-1500.0, 9000.0, 0.05), (-1500.0, 7000.0, 0.0))

    assert (expected_new_people(slots, np.array([0, 1]), SCALE) > 0).tolist() == [
        False,
        True,
        True,
        False,
    ]


def test_a_second_find_of_a_person_promises_nobody():
    slots = detections_of(SMALL, (1510.0, 9000.0, 0.1))

    assert expected_new_people(slots, np.array([0]), SCALE)[1] == 0


def test_a_frame_that_tiles_would_only_stretch_promises_nobody():
    slots = detections_of((0.0, 20000.0, 0.9))

    assert expected_new_people(slots, np.array([0]), MAX_FRAME_SCALE) > 0
    assert expected_new_people(slots, np.array([0]), MAX_FRAME_SCALE + 1e-6) == 0


def test_marked_tiles_hold_what_is_promised_and_it_is_promised_once():
    slots = detections_of(
        (2300.0, 9000.0, 0.9), (-2300.0, 9000.0, 0.9), (2500.0, 9000.0, 0.9)
    )
    chosen = promising_tiles(
        WHOLE, slots, expected_new_people(slots, everybody(slots), SCALE)
    )

    held = [tile.contains(slots.joints_px, WHOLE).tolist() for tile in chosen]

    assert held == [[True, False, True], [False, True, False]]


@pytest.mark.parametrize("expected", [0.0, MIN_NEW - 1e-6])
def test_a_tile_that_promises_too_little_is_not_marked(expected):
    assert promising_tiles(WHOLE, detections_of(SMALL), np.array([expected])) == []


def test_nobody_marks_nothing():
    assert (
        promising_tiles(
            WHOLE,
            detections_of(),
            expected_new_people(detections_of(), everybody(detections_of()), SCALE),
        )
        == []
    )


def test_whom_the_edge_of_a_tile_cuts_is_no_newcomer_save_at_the_frames_own_edge():
    person = detections_of((0.0, 9000.0, 0.9))
    x = int(person.joints_px[0, :, 0].mean())
    nobody = detections_of()

    assert len(new_detections(Tile(x, 0, 100, 480), person, nobody, WHOLE)) == 0
    assert (
        len(
            new_detections(
                Tile(x, 0, 100, 480), person, nobody, Tile(x, 0, 640 - x, 480)
            )
        )
        == 1
    )


def test_a_part_of_somebody_large_is_no_newcomer():
    large = detections_of((0.0, 2500.0, 0.9))
    legs = detections_of((0.0, 9000.0, 0.9))

    assert len(new_detections(WHOLE, legs, large, WHOLE)) == 0
    assert (
        len(new_detections(WHOLE, legs, detections_of((2500.0, 2500.0, 0.9)), WHOLE))
        == 1
    )


def test_of_two_finds_of_a_person_the_surer_stays():
    first = detections_of(NEAR, (1500.0, 9000.0, 0.4))
    closer = detections_of((1520.0, 9000.0, 0.8), (-1500.0, 9000.0, 0.6))

    assert merged([first, closer]).score.tolist() == [0.9, 0.8, 0.6]


def test_two_who_stand_close_in_one_look_are_both_kept():
    pair = detections_of((1500.0, 9000.0, 0.9), (1530.0, 9000.0, 0.8))

    assert len(merged([pair])) == 2


@given(st.permutations(range(4)))
def test_the_order_of_the_looks_does_not_matter(order):
    detections = [
        detections_of(NEAR),
        detections_of((1500.0, 9000.0, 0.4)),
        detections_of((1510.0, 9000.0, 0.8)),
        detections_of(),
    ]

    assert merged([detections[row] for row in order]).score.tolist() == [0.9, 0.8]


def test_zero_sized_bodies_and_two_hundred_of_them_are_survived():
    rng = np.random.default_rng(0)
    row = detections_of(SMALL)
    crowd = merged([row[np.zeros(200, np.intp)]])
    crowd = replace(
        crowd,
        joints_px=np.repeat(rng.uniform(-50, 700, (200, 1, 2)), 25, 1),
        score=rng.uniform(0, 1, 200),
    )
    answered = np.flatnonzero(crowd.score > 0.2)

    chosen = promising_tiles(WHOLE, crowd, expected_new_people(crowd, answered, SCALE))
    assert 0 < len(chosen) <= MAX_TILES
    assert len(new_detections(chosen[0], crowd, crowd[answered], WHOLE)) <= 200
