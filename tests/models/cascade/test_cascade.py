"""Facts about the cascade: whom it looks at again, and what it answers when a stage fails."""

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from posecascade.models.cascade.cascade import Cascade
from posecascade.models.cascade.drive import Outputs, drive
from posecascade.models.errors import DeepStagesSkipped, StageDown
from posecascade.models.options import Options, Quality
from posecascade.models.policies import LoadState
from posecascade.models.records import Camera, CameraSource, Frame, Stage, Stop
from posecascade.models.runners.base import StageBatch
from posecascade.models.skeleton import JOINTS
from tests.models.lab.evaluation.crowd import FOCAL_PX, SIZE_WH_PX, in_pixels
from tests.models.lab.evaluation.stages import Scene, cascade_of, scene

CAMERA = Camera(FOCAL_PX, FOCAL_PX, SIZE_WH_PX[0] / 2, SIZE_WH_PX[1] / 2)
COUNTS = [0, 1, 3, 6]
"""People in each frame of the scene."""
KNOWN = Options(camera=CAMERA)


@pytest.fixture
def told(tmp_path) -> Scene:
    return scene(tmp_path, COUNTS)


@pytest.fixture
def cascade(told) -> Cascade:
    return cascade_of(told)


def picture(frame: int) -> np.ndarray[Any, Any]:
    return np.full((*SIZE_WH_PX[::-1], 3), frame, np.uint8)


def driven(
    cascade: Cascade,
    frame: int,
    options: Options,
    failing: dict[Stage, Exception],
    clock: Callable[[], float] = time.perf_counter,
) -> Frame:
    """Runs the stages, but throws what is to fail."""
    steps = cascade.steps(picture(frame), options, clock=clock)

    def run(batch: StageBatch) -> Outputs:
        if batch.stage in failing:
            raise failing[batch.stage]
        return cascade.run_stage(batch)

    return drive(steps, run)


def roots_mm(frame: Frame) -> np.ndarray[Any, Any]:
    return np.array(
        sorted(person.pose.root_mm.tolist() for person in frame.people)
    ).reshape(-1, 3)


@pytest.mark.parametrize(("frame", "people"), list(enumerate(COUNTS)))
@pytest.mark.parametrize("quality", Quality)
def test_everybody_is_found_once_and_stands_where_they_are(
    cascade, told, frame, people, quality
):
    answer = cascade.predict(picture(frame), KNOWN, quality=quality)
    truth = np.array(sorted(told.bodies_mm[frame][:, 0].tolist())).reshape(-1, 3)

    assert len(answer.people) == people
    np.testing.assert_allclose(roots_mm(answer), truth, atol=1)


def test_fast_is_coarse_alone_and_best_is_the_deepest_for_all(cascade):
    fast, best = (
        cascade.predict(picture(3), KNOWN, quality=quality)
        for quality in ("fast", "best")
    )

    assert {(p.stage, p.stop, p.depth_ms) for p in fast.people} == {
        (Stage.COARSE, Stop.CONFIDENT, 0.0)
    }
    assert {(p.stage, p.stop) for p in best.people} == {(Stage.EXPERT, Stop.DEEPEST)}
    assert all(p.depth_ms > 0 for p in best.people)


def test_people_are_sorted_by_the_score_of_their_last_look(cascade):
    scores = [
        person.score
        for person in cascade.predict(picture(3), KNOWN, quality="best").people
    ]

    assert scores == sorted(scores, reverse=True)


def test_a_dear_price_keeps_everybody_at_coarse_and_a_low_one_sends_them(cascade):
    dear, free = (
        cascade.predict(picture(3), KNOWN, price=price) for price in (1e6, 0.0)
    )

    assert {(p.stage, p.stop) for p in dear.people} == {
        (Stage.COARSE, Stop.GAIN_BELOW_PRICE)
    }
    assert all(p.stage is not Stage.COARSE for p in free.people)


@pytest.mark.parametrize(
    ("load_state", "stop"),
    [(LoadState(price=1e6), Stop.LOAD), (LoadState(left_ms=0), Stop.DEADLINE)],
)
@pytest.mark.parametrize("asked", [{"price": 0.0}, {"quality": Quality.BEST}])
def test_pressure_sheds_depth_and_says_so(cascade, asked, load_state, stop):
    steps = cascade.steps(
        picture(3), replace(KNOWN, **asked), load_state=lambda: load_state
    )
    with pytest.raises(StopIteration) as done:
        steps.send(cascade.runners[Stage.COARSE].run(next(steps).inputs))

    assert {(p.stop, p.degraded) for p in done.value.value.people} == {(stop, True)}


def test_a_frame_without_people_runs_no_deep_stage(cascade):
    answer = cascade.predict(picture(0), KNOWN, quality="best")

    assert answer.people == ()
    assert cascade.runners[Stage.EXPERT].items == []


def test_the_people_of_a_frame_share_one_batch_of_a_stage(cascade):
    cascade.predict(picture(3), KNOWN, quality="best")

    assert cascade.runners[Stage.EXPERT].items == [6]


def test_a_deep_stage_that_fails_leaves_the_earlier_pose_and_says_so(cascade):
    coarse = cascade.predict(picture(2), KNOWN, quality="fast")
    failed = driven(
        cascade,
        2,
        replace(KNOWN, quality=Quality.BEST),
        {Stage.REFINE: StageDown("refine is down")},
    )

    assert {(p.stage, p.stop, p.degraded) for p in failed.people} == {
        (Stage.COARSE, Stop.STAGE_FAILED, True)
    }
    for remaining, before in zip(failed.people, coarse.people, strict=True):
        np.testing.assert_array_equal(remaining.pose.joints_mm, before.pose.joints_mm)


def test_a_deeper_look_at_somebody_else_is_dropped(cascade):
    coarse = cascade.predict(picture(2), KNOWN, quality="fast").people
    steps = cascade.steps(picture(2), replace(KNOWN, quality=Quality.BEST))
    outputs = cascade.runners[Stage.COARSE].run(next(steps).inputs)
    batch = steps.send(outputs)
    there = np.asarray(coarse[1].pose.joints_px)
    scale = np.polyfit(there[:, 0], batch.inputs["prior_px"][1, :, 0], 1)[
        0
    ]  # of the second person's window
    said = dict(cascade.runners[Stage.REFINE].run(batch.inputs))
    said["joints_px"] = said["joints_px"].copy()
    said["joints_px"][1] = batch.inputs["prior_px"][1] + scale * (
        np.asarray(coarse[0].pose.joints_px) - there
    )
    again = steps.send(said)
    with pytest.raises(StopIteration) as done:
        steps.send(cascade.runners[Stage.EXPERT].run(again.inputs))
    answered = done.value.value.people

    assert again.items == len(coarse) - 1
    remaining = [person for person in answered if person.stage is Stage.COARSE]
    assert [person.stop for person in remaining] == [Stop.DEEPEST]
    np.testing.assert_array_equal(remaining[0].pose.joints_mm, coarse[1].pose.joints_mm)
    assert len(answered) == len(coarse)


@pytest.mark.parametrize("reason", [Stop.DEADLINE, Stop.LOAD])
def test_deep_stages_that_are_skipped_stop_people_for_that_reason(cascade, reason):
    skipped = driven(
        cascade,
        2,
        replace(KNOWN, quality=Quality.BEST),
        {Stage.REFINE: DeepStagesSkipped(reason)},
    )

    assert {(p.stage, p.stop, p.degraded) for p in skipped.people} == {
        (Stage.COARSE, reason, True)
    }


def test_a_coarse_stage_that_fails_fails_the_frame(cascade):
    with pytest.raises(StageDown, match="coarse is down"):
        driven(cascade, 1, KNOWN, {Stage.COARSE: StageDown("coarse is down")})


def test_predict_itself_survives_a_deep_stage_that_raises(told):
    class Broken:
        provider = "broken"

        def run(self, batch):
            raise StageDown("expert is down")

        def close(self):
            pass

    sound = cascade_of(told)
    cascade = Cascade(sound.manifest, {**sound.runners, Stage.EXPERT: Broken()})

    assert {
        p.stop for p in cascade.predict(picture(1), KNOWN, quality="best").people
    } == {Stop.STAGE_FAILED}


def test_a_budget_too_small_for_anyone_stops_all_for_it(cascade):
    answer = cascade.predict(picture(3), KNOWN, quality="best", budget_ms=1.0)

    assert {(p.stage, p.stop, p.degraded) for p in answer.people} == {
        (Stage.COARSE, Stop.BUDGET, False)
    }


def test_at_most_the_asked_number_of_people_the_best_first(cascade):
    everybody, two = (
        cascade.predict(picture(3), KNOWN, quality="fast", max_people=n)
        for n in (32, 2)
    )

    assert [p.score for p in two.people] == [p.score for p in everybody.people[:2]]


def test_nobody_below_the_least_score_is_answered(cascade):
    everybody = cascade.predict(picture(3), KNOWN, quality="fast")
    least = everybody.people[2].score

    assert (
        len(
            cascade.predict(
                picture(3), KNOWN, quality="fast", min_score=least - 1e-9
            ).people
        )
        == 3
    )


def test_where_the_time_went_is_told_by_a_clock_that_is_passed_in(cascade):
    ticks = iter(range(10_000))
    frame = driven(
        cascade,
        2,
        replace(KNOWN, quality=Quality.BEST),
        {},
        clock=lambda: float(next(ticks)),
    )
    timing = frame.timing_ms

    assert set(timing) == {"coarse", "route", "refine", "expert", "other"}
    assert timing["coarse"] == timing["refine"] == timing["expert"] == 1000
    assert timing["other"] >= 0
    assert sum(person.depth_ms for person in frame.people) == pytest.approx(
        timing["refine"] + timing["expert"]
    )


def test_a_region_is_seen_by_a_camera_of_its_own_and_answered_in_pixels_of_the_frame(
    cascade,
):
    steps = cascade.steps(
        picture(1),
        replace(
            KNOWN, region_xywh_px=(160.0, 120.0, 320.0, 240.0), quality=Quality.FAST
        ),
    )
    batch = next(steps)
    focal, _, cx, cy = batch.inputs["intrinsics"][0]
    scale = focal / FOCAL_PX
    in_region = np.full((1, 8, JOINTS, 2), 50.0, np.float32) * scale
    blank = cascade.runners[Stage.COARSE].run(
        {"image_bgr": picture(1)[None], "intrinsics": batch.inputs["intrinsics"]}
    )
    with pytest.raises(StopIteration) as done:
        steps.send(blank | {"joints_px": in_region})

    assert batch.inputs["image_bgr"].shape == (1, 384, 640, 3)
    assert (cx / scale, cy / scale) == pytest.approx((320 - 160, 240 - 120))
    np.testing.assert_allclose(
        done.value.value.people[0].pose.joints_px,
        np.tile([210.0, 170.0], (25, 1)),
        atol=1e-3,
    )


def test_a_region_outside_the_frame_is_refused_by_name(cascade):
    with pytest.raises(
        ValueError, match=r"region 600,0,100,50 leaves the frame of 640 x 480 pixels"
    ):
        cascade.predict(picture(0), region_xywh_px=(600, 0, 100, 50))


def test_an_unknown_policy_is_refused_with_the_known_ones(cascade):
    with pytest.raises(
        ValueError,
        match="policy must be one of gain, never, always, random, alternate, got 'oracle'",
    ):
        cascade.predict(picture(0), policy="oracle")


@pytest.mark.parametrize("policy", ["gain", "never", "always", "random", "alternate"])
def test_every_policy_answers_everybody_with_a_reason(cascade, policy):
    answer = cascade.predict(picture(3), KNOWN, policy=policy)

    assert len(answer.people) == 6
    assert {p.stop for p in answer.people} <= {
        Stop.CONFIDENT,
        Stop.GAIN_BELOW_PRICE,
        Stop.DEEPEST,
    }


def test_a_promise_that_no_price_keeps_sends_everybody(cascade):
    answer = cascade.predict(picture(3), KNOWN, max_extra_error_mm=0.001)

    assert {p.stage for p in answer.people} == {Stage.EXPERT}


def test_an_unknown_camera_is_assumed_and_said_to_be(cascade):
    camera = cascade.predict(picture(0)).camera

    assert camera.source is CameraSource.ASSUMED
    assert (camera.cx, camera.cy) == (320, 240)


def test_crops_carry_the_prior_in_their_own_pixels(cascade, told):
    steps = cascade.steps(picture(2), replace(KNOWN, quality=Quality.BEST))
    batch = steps.send(cascade.runners[Stage.COARSE].run(next(steps).inputs))
    steps.close()

    assert batch.stage is Stage.REFINE
    assert {name: values.dtype.name for name, values in batch.inputs.items()} == {
        "crop_bgr": "uint8",
        "intrinsics": "float32",
        "prior_px": "float32",
        "prior_rel_mm": "float32",
        "prior_sigma_mm": "float32",
        "prior_scores": "float32",
    }
    assert batch.items == 3
    for prior, crop_camera, body in zip(
        batch.inputs["prior_px"],
        batch.inputs["intrinsics"],
        _owners(told.bodies_mm[2], batch),
        strict=True,
    ):
        scale = crop_camera[0] / FOCAL_PX
        corner = np.array([320, 240]) - crop_camera[2:] / scale
        np.testing.assert_allclose(prior / scale + corner, in_pixels(body), atol=0.05)


def _owners(
    bodies_mm: np.ndarray[Any, Any], batch: StageBatch
) -> list[np.ndarray[Any, Any]]:
    """The bodies in the order of the batch; the nearest relative pose is the same person's."""
    relative = bodies_mm - bodies_mm[:, :1]
    return [
        bodies_mm[np.abs(relative - prior).mean((1, 2)).argmin()]
        for prior in batch.inputs["prior_rel_mm"]
    ]


def test_two_deep_looks_are_told_the_same_and_answer_in_the_mean(cascade):
    options = replace(KNOWN, quality=Quality.BEST)
    refined = (
        driven(cascade, 1, options, {Stage.EXPERT: StageDown("expert is down")})
        .people[0]
        .pose
    )
    steps = cascade.steps(picture(1), options)
    first = steps.send(cascade.runners[Stage.COARSE].run(next(steps).inputs))
    second = steps.send(cascade.runners[Stage.REFINE].run(first.inputs))
    outputs = dict(cascade.runners[Stage.EXPERT].run(second.inputs))
    with pytest.raises(StopIteration) as done:
        steps.send(outputs)
    both = done.value.value.people[0].pose

    for name, values in first.inputs.items():
        np.testing.assert_array_equal(values, second.inputs[name])
    np.testing.assert_allclose(
        both.joints_rel_mm,
        (outputs["joints_rel_mm"][0] + refined.joints_rel_mm) / 2,
        atol=1e-3,
    )


def test_warming_up_runs_every_size_and_bucket_once(cascade):
    cascade.warm_up()

    assert {stage: runner.items for stage, runner in cascade.runners.items()} == {
        Stage.COARSE: [1],
        Stage.REFINE: [1, 2, 4, 8],
        Stage.EXPERT: [1, 2, 4, 8],
    }


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize(
    "column", ["joints_px", "joints_rel_mm", "sigma_mm", "root_depth_mm"]
)
def test_a_person_of_broken_numbers_is_left_out_and_the_others_are_answered(
    cascade, column, value
):
    sound = cascade.predict(picture(2), KNOWN, quality="best").people
    steps = cascade.steps(picture(2), replace(KNOWN, quality=Quality.BEST))
    said = dict(cascade.runners[Stage.COARSE].run(next(steps).inputs))
    said[column] = said[column].copy()
    best = int(said["score"][0].argmax())
    said[column][0, best] = value
    answered = finished(cascade, steps, said)

    assert len(answered.people) == len(sound) - 1
    assert all(np.isfinite(person.pose.joints_mm).all() for person in answered.people)


def test_scores_that_are_no_numbers_are_of_nobody(cascade):
    steps = cascade.steps(picture(2), replace(KNOWN, quality=Quality.BEST))
    said = dict(cascade.runners[Stage.COARSE].run(next(steps).inputs))

    assert (
        finished(
            cascade, steps, said | {"score": np.full_like(said["score"], np.nan)}
        ).people
        == ()
    )


@pytest.mark.parametrize(
    "column", ["joints_px", "joints_rel_mm", "sigma_mm", "root_depth_mm"]
)
def test_a_deeper_look_of_broken_numbers_is_dropped(cascade, column):
    coarse = cascade.predict(picture(2), KNOWN, quality="fast").people
    steps = cascade.steps(picture(2), replace(KNOWN, quality=Quality.BEST))
    batch = steps.send(cascade.runners[Stage.COARSE].run(next(steps).inputs))
    said = dict(cascade.runners[Stage.REFINE].run(batch.inputs))
    said[column] = said[column].copy()
    said[column][0] = np.nan
    answered = finished(cascade, steps, said)

    remaining = [person for person in answered.people if person.stage is Stage.COARSE]
    assert len(remaining) == 1
    assert any(
        np.array_equal(remaining[0].pose.joints_mm, person.pose.joints_mm)
        for person in coarse
    )


@pytest.mark.parametrize("policy", ["gain", "always", "random", "alternate"])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 0.0, -1.0, 1e30])
@pytest.mark.parametrize("broken", [Stage.COARSE, Stage.REFINE])
@pytest.mark.parametrize(
    "column",
    [
        "score",
        "joints_px",
        "joint_scores",
        "joints_rel_mm",
        "sigma_mm",
        "root_depth_mm",
        "root_depth_sigma_mm",
        "disagreement",
    ],
)
def test_whatever_a_stage_says_of_one_person_all_others_are_answered_in_numbers(
    cascade, policy, value, broken, column
):
    steps = cascade.steps(picture(3), replace(KNOWN, policy=policy, price=0.0))
    batch = next(steps)
    said = dict(cascade.runners[Stage.COARSE].run(batch.inputs))
    person: Any = (0, int(said["score"][0].argmax()))
    if broken is Stage.REFINE:
        batch = steps.send(said)
        person = 0
        said = dict(cascade.runners[batch.stage].run(batch.inputs))
    said[column] = said[column].copy()
    said[column][person] = value
    people = finished(cascade, steps, said).people

    assert len(people) >= COUNTS[3] - 1
    for answered in people:
        pose = answered.pose
        for numbers in (
            pose.joints_mm,
            pose.joints_px,
            pose.sigma_mm,
            answered.box_xywh_px,
            answered.score,
        ):
            assert np.isfinite(numbers).all()


def finished(cascade, steps, outputs):
    """The frame, when a stage has said `outputs` and the stages after it what they say."""
    try:
        batch = steps.send(outputs)
        while True:
            batch = steps.send(cascade.runners[batch.stage].run(batch.inputs))
    except StopIteration as done:
        return done.value
