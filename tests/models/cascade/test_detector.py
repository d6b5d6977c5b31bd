"""Facts about looking again, larger, where somebody may have been missed."""

from dataclasses import replace

import numpy as np
import pytest

from posecascade.models.camera import assumed
from posecascade.models.cascade.cascade import Cascade
from posecascade.models.cascade.detector import CoarseDetector
from posecascade.models.cascade.drive import drive
from posecascade.models.cascade.operating_point import (
    allowed_tiles,
)
from posecascade.models.cascade.tiles import Tile, tiles
from posecascade.models.detections import COLUMNS
from posecascade.models.errors import DeepStagesSkipped
from posecascade.models.manifest import WEIGHTS
from posecascade.models.options import MAX_TILES, Options, Quality
from posecascade.models.policies import LoadState
from posecascade.models.records import Frame, Stage, Stop
from tests.models.wide_shot import (
    CAMERA,
    FAINT,
    NEAR,
    UNSEEN,
    ShortSighted,
    picture,
    wide_cascade,
)

STREET = [NEAR, FAINT, UNSEEN]
COARSE_ONLY = Options(camera=CAMERA, policy="never")


def depths_m(frame: Frame) -> list[float]:
    return sorted(
        round(float(person.pose.root_mm[2]) / 1000, 1) for person in frame.people
    )


def test_a_tile_that_is_marked_shows_who_was_faint_and_who_was_not_seen_beside_them():
    coarse = ShortSighted(STREET)
    frame = wide_cascade(coarse).predict(picture(), COARSE_ONLY, tiles=1)

    assert coarse.items == [1, 1]
    assert depths_m(frame) == [9.0, 20.0, 28.0]


def test_who_was_found_in_a_tile_stands_where_they_are_in_the_frame():
    frame = wide_cascade(ShortSighted(STREET)).predict(picture(), COARSE_ONLY, tiles=1)
    roots = np.array(sorted(person.pose.root_mm.tolist() for person in frame.people))

    np.testing.assert_allclose(roots, [[x, 0, z] for x, z in STREET], atol=1)


def test_without_tiles_only_the_near_are_found():
    coarse = ShortSighted(STREET)

    assert depths_m(wide_cascade(coarse).predict(picture(), COARSE_ONLY)) == [9.0]
    assert coarse.items == [1]


def test_a_frame_without_small_people_costs_one_look():
    coarse = ShortSighted([NEAR, (3000.0, 9000.0)])
    wide_cascade(coarse).predict(picture(), COARSE_ONLY, tiles=MAX_TILES)

    assert coarse.items == [1]


def test_no_more_tiles_are_looked_at_than_asked_for_and_all_of_a_frame_at_once():
    left_and_right = [FAINT, (-6000.0, 20000.0)]
    few = ShortSighted(left_and_right)
    more = ShortSighted(left_and_right)
    wide_cascade(few).predict(picture(), COARSE_ONLY, tiles=1)
    wide_cascade(more).predict(picture(), COARSE_ONLY, tiles=MAX_TILES)

    assert few.items == [1, 1]
    assert more.items == [1, 2]


def test_the_closer_looks_count_as_time_of_the_first_stage():
    steps = wide_cascade(ShortSighted([])).steps(
        picture(), COARSE_ONLY, clock=iter(range(99)).__next__
    )
    coarse = ShortSighted(STREET)
    steps_with = wide_cascade(coarse).steps(
        picture(), replace(COARSE_ONLY, tiles=1), clock=iter(range(99)).__next__
    )

    assert finished(steps, ShortSighted([])).timing_ms[Stage.COARSE] == 1000
    assert finished(steps_with, coarse).timing_ms[Stage.COARSE] == 2000


def finished(steps, runner) -> Frame:
    return drive(steps, lambda batch: runner.run(batch.inputs))


def test_tiles_that_fail_leave_the_first_look():
    coarse = ShortSighted(STREET, fails_on_tiles=True)

    assert depths_m(wide_cascade(coarse).predict(picture(), COARSE_ONLY, tiles=2)) == [
        9.0
    ]


def test_tiles_that_come_too_late_leave_the_first_look():
    coarse = ShortSighted(STREET)
    steps = wide_cascade(coarse).steps(picture(), replace(COARSE_ONLY, tiles=2))
    steps.send(coarse.run(next(steps).inputs))
    with pytest.raises(StopIteration) as done:
        steps.throw(DeepStagesSkipped(Stop.DEADLINE))

    assert depths_m(done.value.value) == [9.0]


@pytest.mark.parametrize("score", [np.nan, -np.inf, 0.0])
def test_broken_scores_of_a_tile_leave_the_first_look(score):
    coarse = ShortSighted(STREET, spoil=score)

    assert depths_m(wide_cascade(coarse).predict(picture(), COARSE_ONLY, tiles=2)) == [
        9.0
    ]


def test_a_region_is_cut_into_tiles_of_its_own():
    coarse = ShortSighted([*STREET, (-6000.0, 20000.0)])
    frame = wide_cascade(coarse).predict(
        picture(), COARSE_ONLY, tiles=9, region_xywh_px=(640.0, 0.0, 1280.0, 1080.0)
    )

    assert depths_m(frame) == [9.0, 20.0, 28.0]


def test_at_most_the_asked_number_of_people_the_best_first():
    frame = wide_cascade(ShortSighted(STREET)).predict(
        picture(), COARSE_ONLY, tiles=9, max_people=2
    )

    assert depths_m(frame) == [9.0, 20.0]


@pytest.mark.parametrize(
    ("options", "count"),
    [
        (Options(), 0),
        (Options(quality=Quality.FAST), 0),
        (Options(quality=Quality.BEST), MAX_TILES),
        (Options(quality=Quality.BEST, price=1.0), 0),
        (Options(quality=Quality.BEST, tiles=0), 0),
        (Options(quality=Quality.FAST, tiles=2), 2),
        (Options(tiles=3, budget_ms=70.0), 2),
        (Options(quality=Quality.BEST, budget_ms=29.0), 0),
    ],
    ids=str,
)
def test_as_many_tiles_as_the_settings_and_the_time_allow(options, count):
    manifest = wide_cascade(ShortSighted([])).manifest
    coarse_ms = manifest.stages[Stage.COARSE].cost_ms
    short_of_time = LoadState(left_ms=45.0)

    assert allowed_tiles(options, LoadState(), coarse_ms) == count
    assert allowed_tiles(options, short_of_time, coarse_ms) == min(count, 1)
    assert allowed_tiles(options, LoadState(price=0.1), coarse_ms) == 0


@pytest.mark.parametrize("shape", [(1, 1, 3), (2, 3000, 3), (1080, 1920, 3)])
def test_any_frame_is_looked_at(shape):
    cascade = wide_cascade(ShortSighted([(0.0, 20000.0)] * 200, slots=200))

    cascade.predict(np.zeros(shape, np.uint8), COARSE_ONLY, tiles=MAX_TILES)


@pytest.mark.skipif(
    not (WEIGHTS / "coarse.onnx").exists(), reason="no weights in models/weights yet"
)
def test_what_the_weights_say_of_a_tile_does_not_depend_on_the_others():
    rng = np.random.default_rng(5)
    image = np.kron(rng.integers(0, 255, (27, 48, 3)), np.ones((20, 20, 1))).astype(
        np.uint8
    )
    cascade = Cascade.load(threads=1)
    requested = []
    for chosen in (tiles(Tile(0, 0, 960, 540)), tiles(Tile(0, 0, 960, 540))[4:6]):
        steps = CoarseDetector(
            image, assumed(960, 540), cascade.manifest, 0.0, float
        ).run(chosen)
        with pytest.raises(StopIteration) as done:
            steps.send(cascade.runners[Stage.COARSE].run(next(steps).inputs))
        requested.append(done.value.value[0])

    for isolate_frame, among in zip(requested[1], requested[0][4:6], strict=True):
        for name in COLUMNS:
            np.testing.assert_allclose(
                getattr(isolate_frame, name), getattr(among, name), rtol=1e-3, atol=1e-2
            )
