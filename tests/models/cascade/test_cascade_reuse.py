"""Facts about the cascade with the memory of a stream: whose deep look is kept, and what happens when none comes."""

from collections.abc import Callable

import numpy as np
import pytest

from posecascade.models.cascade.cascade import Cascade
from posecascade.models.cascade.drive import Outputs, drive
from posecascade.models.cascade.operating_point import (
    STREAM_BUDGET_FACTOR,
)
from posecascade.models.errors import DeepStagesSkipped, StageDown
from posecascade.models.lab.fitting.reuse import collect
from posecascade.models.lab.scoring.refresh_rules import FixedAlternation
from posecascade.models.lab.scoring.shots import Shot
from posecascade.models.options import Options, Quality
from posecascade.models.records import Camera, Frame, Stage, Stop
from posecascade.models.runners.base import StageBatch
from posecascade.models.tracking.reuse.memory import Memory
from posecascade.models.tracking.reuse.refresh import FRAMES_PER_REFRESH
from tests.models.lab.evaluation.crowd import FOCAL_PX, SIZE_WH_PX
from tests.models.lab.evaluation.stages import Scene, cascade_of, scene

PEOPLE = 3
CAMERA = Camera(FOCAL_PX, FOCAL_PX, SIZE_WH_PX[0] / 2, SIZE_WH_PX[1] / 2)
BEST = Options(camera=CAMERA, quality=Quality.BEST, reuse_target_mm=10.0)
EVERY_3 = FixedAlternation(3)
PICTURE = np.zeros((*SIZE_WH_PX[::-1], 3), np.uint8)

Told = tuple[Cascade, Memory]


@pytest.fixture
def still(tmp_path) -> Scene:
    """One frame of people who stand apart, shown again and again."""
    scene_truth = scene(tmp_path, [PEOPLE])
    for row, x_mm in enumerate(np.linspace(-1200, 1200, PEOPLE)):
        body = scene_truth.bodies_mm[0][row]
        body += [x_mm - body[0, 0], 0, 4500 - body[0, 2]]
    return scene_truth


@pytest.fixture
def cascade(still) -> Cascade:
    return cascade_of(still)


def answers(
    cascade: Cascade, memory: Memory | None, frames: int, options: Options = BEST
) -> list[Frame]:
    outputs = []
    for frame in range(frames):
        if memory is not None:
            memory.begin(frame / 25)
        outputs.append(cascade.predict(PICTURE, options, memory=memory))
    return outputs


def driven(
    cascade: Cascade,
    memory: Memory,
    time_s: float,
    fails: Callable[[], Exception],
    options: Options = BEST,
) -> Frame:
    """A frame of which every deep batch fails."""
    memory.begin(time_s)
    steps = cascade.steps(PICTURE, options, memory=memory)

    def run(batch: StageBatch) -> Outputs:
        if batch.stage is not Stage.COARSE:
            raise fails()
        return cascade.run_stage(batch)

    return drive(steps, run)


def joints(frame: Frame) -> np.ndarray:
    return np.array([person.pose.joints_mm for person in frame.people])


def test_deep_stages_run_on_key_frames_only_and_the_others_reuse_them(cascade):
    frames = answers(cascade, Memory(rule=EVERY_3), 6)

    assert cascade.runners[Stage.EXPERT].items == [PEOPLE, PEOPLE]
    assert [{person.reused_frames for person in frame.people} for frame in frames] == [
        {0},
        {1},
        {2},
    ] * 2
    assert {(p.stage, p.stop, p.depth_ms) for p in frames[1].people} == {
        (Stage.EXPERT, Stop.REUSED, 0.0)
    }
    assert {p.stop for p in frames[3].people} == {Stop.DEEPEST}


def test_a_reused_pose_is_the_deep_one_with_a_wider_sigma(cascade):
    key, propagated, _ = answers(cascade, Memory(rule=EVERY_3), 3)

    np.testing.assert_allclose(joints(propagated), joints(key), atol=2)
    for now, then in zip(propagated.people, key.people, strict=True):
        assert (now.pose.sigma_mm > then.pose.sigma_mm).all()


def test_without_memory_every_frame_is_by_itself(cascade):
    answers(cascade, None, 3)

    assert cascade.runners[Stage.EXPERT].items == [PEOPLE] * 3


@pytest.mark.parametrize(
    "options",
    [
        Options(camera=CAMERA, quality=Quality.BEST, reuse_target_mm=0),
        Options(camera=CAMERA, policy="always", price=0, reuse_target_mm=0),
    ],
)
def test_a_target_of_zero_switches_reuse_off(cascade, options):
    frames = answers(cascade, Memory(rule=EVERY_3), 3, options)

    assert {person.reused_frames for frame in frames for person in frame.people} == {0}


@pytest.mark.parametrize("quality", list(Quality))
@pytest.mark.parametrize(("target_mm", "by_itself"), [(0, True), (None, False)])
def test_a_frame_is_weighed_against_the_one_before_unless_the_target_is_zero(
    still, quality, target_mm, by_itself
):
    still.bodies_mm.append(still.bodies_mm[0] + [10, 0, 0])
    still.off_mm.append(-still.off_mm[0])
    cascade = cascade_of(still)
    memory = Memory()
    options = Options(camera=CAMERA, quality=quality, reuse_target_mm=target_mm)
    answers(cascade, memory, 1, options)
    memory.begin(0.04)
    second, isolate_frame = (
        cascade.predict(PICTURE + 1, options, memory=known) for known in (memory, None)
    )

    assert np.allclose(joints(second), joints(isolate_frame), atol=1e-6) == by_itself


def test_best_looks_at_everybody_in_every_frame_unless_it_is_asked_to_spare_them(
    cascade,
):
    frames = answers(
        cascade, Memory(rule=EVERY_3), 3, Options(camera=CAMERA, quality=Quality.BEST)
    )

    assert cascade.runners[Stage.EXPERT].items == [PEOPLE] * 3
    assert {(p.stop, p.reused_frames) for frame in frames for p in frame.people} == {
        (Stop.DEEPEST, 0)
    }


def test_best_keeps_the_look_of_before_where_a_fresh_one_fails(cascade):
    memory = Memory()
    key = answers(cascade, memory, 1, Options(camera=CAMERA, quality=Quality.BEST))[0]
    failed = driven(
        cascade,
        memory,
        0.04,
        lambda: StageDown("it is down"),
        Options(camera=CAMERA, quality=Quality.BEST),
    )

    assert {(p.stage, p.degraded) for p in failed.people} == {(Stage.EXPERT, True)}
    np.testing.assert_allclose(joints(failed), joints(key), atol=2)


def test_fast_never_reuses_a_deep_answer(cascade):
    memory = Memory(rule=EVERY_3)
    answers(cascade, memory, 1)
    memory.begin(0.04)
    fast = cascade.predict(PICTURE, BEST, quality="fast", memory=memory)

    assert {(p.stage, p.stop, p.reused_frames) for p in fast.people} == {
        (Stage.COARSE, Stop.CONFIDENT, 0)
    }


@pytest.mark.parametrize(
    ("fails", "stop"),
    [
        (lambda: StageDown("it is down"), Stop.STAGE_FAILED),
        (lambda: DeepStagesSkipped(Stop.LOAD), Stop.LOAD),
    ],
)
def test_who_is_due_and_gets_no_look_keeps_the_carried_one(cascade, fails, stop):
    memory = Memory(rule=FixedAlternation(1))
    key = answers(cascade, memory, 1)[0]
    failed = driven(cascade, memory, 0.04, fails)

    assert {(p.stage, p.stop, p.degraded, p.reused_frames) for p in failed.people} == {
        (Stage.EXPERT, stop, True, 1)
    }
    np.testing.assert_allclose(joints(failed), joints(key), atol=2)


def test_who_is_no_longer_worth_a_look_does_not_fall_back_to_coarse(cascade):
    memory = Memory(rule=FixedAlternation(1))
    answers(cascade, memory, 1)
    memory.begin(0.04)
    dear = cascade.predict(PICTURE, Options(camera=CAMERA, price=1e6), memory=memory)

    assert {(p.stage, p.stop, p.reused_frames) for p in dear.people} == {
        (Stage.EXPERT, Stop.REUSED, 1)
    }


def test_a_balanced_frame_of_a_stream_pays_for_the_frames_that_its_looks_serve(still):
    balanced, isolate_frame = (
        Options(camera=CAMERA, reuse_target_mm=target_mm) for target_mm in (None, 0)
    )
    picture, frame, by_itself = (
        [
            person.stage
            for person in answers(cascade_of(still, price=2.0), memory, 1, options)[
                0
            ].people
        ]
        for memory, options in (
            (None, balanced),
            (Memory(), balanced),
            (Memory(), isolate_frame),
        )
    )

    assert by_itself == picture == [Stage.REFINE, Stage.COARSE, Stage.REFINE]
    assert frame == [Stage.EXPERT, Stage.REFINE, Stage.EXPERT]


def test_only_the_default_operating_point_differs_in_a_stream(cascade):
    of_picture = cascade.operating_point(Options())
    of_stream = cascade.operating_point(Options(), in_stream=True)

    assert of_stream.price == of_picture.price / FRAMES_PER_REFRESH
    assert of_stream.budget_ms == STREAM_BUDGET_FACTOR * of_picture.budget_ms


@pytest.mark.parametrize(
    "options",
    [Options(price=2.0), Options(policy="gain"), Options(quality=Quality.BEST)],
    ids=["price", "policy", "best"],
)
def test_an_explicit_operating_point_is_the_same_in_a_stream(cascade, options):
    of_stream = cascade.operating_point(options, in_stream=True)

    assert of_stream == cascade.operating_point(options)
    assert of_stream.budget_ms == np.inf


def test_a_requested_budget_is_the_same_in_a_stream(cascade):
    of_stream = cascade.operating_point(Options(budget_ms=5.0), in_stream=True)

    assert of_stream.budget_ms == 5


@pytest.mark.parametrize("quality", [Quality.BALANCED, Quality.BEST])
def test_a_stranger_among_known_people_keeps_the_coarse_look_until_found_again(
    still, quality
):
    unmatched = still.bodies_mm[0][:1] + [0, 0, 3000]
    still.bodies_mm.extend([np.concatenate([still.bodies_mm[0], unmatched])] * 2)
    still.off_mm.extend([np.concatenate([still.off_mm[0], still.off_mm[0][:1]])] * 2)
    cascade = cascade_of(still)
    memory = Memory(rule=EVERY_3)
    outputs = []
    for frame in range(3):
        memory.begin(frame / 25)
        options = Options(camera=CAMERA, quality=quality, price=0, reuse_target_mm=10.0)
        outputs.append(cascade.predict(PICTURE + frame, options, memory=memory).people)
    _, first, again = (
        [person for person in people if person.pose.root_mm[2] > 5000]
        for people in outputs
    )

    assert [(person.stage, person.stop) for person in first] == [
        (Stage.COARSE, Stop.GAIN_BELOW_PRICE)
    ]
    assert [person.stage for person in again] == [Stage.EXPERT]
    assert [person.stop for person in outputs[2]].count(Stop.REUSED) == PEOPLE


def test_streams_do_not_share_what_they_know(cascade):
    one = Memory(rule=EVERY_3)
    other = Memory(rule=EVERY_3)
    answers(cascade, one, 1)
    first = answers(cascade, other, 1)[0]

    assert {person.reused_frames for person in first.people} == {0}


def test_a_frame_that_is_given_up_leaves_no_trace(cascade):
    memory = Memory(rule=EVERY_3)
    answers(cascade, memory, 1)
    memory.begin(0.04)
    given_up = cascade.steps(PICTURE, BEST, memory=memory)
    next(given_up)
    given_up.close()
    memory.begin(0.08)

    assert {
        person.reused_frames
        for person in cascade.predict(PICTURE, BEST, memory=memory).people
    } == {1}


def test_carried_poses_that_are_looked_at_again_are_samples_to_fit_on(cascade):
    shots = [Shot(PICTURE, CAMERA, frame / 25) for frame in range(40)]
    inputs, off_mm = collect(cascade, [shots], rounds=2).columns()

    assert len(inputs) == len(off_mm) > PEOPLE
    assert (off_mm < 2).all()  # nobody moves
