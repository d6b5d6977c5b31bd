"""Facts about the people of a frame in columns."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from posecascade.models.calibration import Calibration
from posecascade.models.camera import project
from posecascade.models.cascade.stage_outputs import from_outputs
from posecascade.models.crops import Window
from posecascade.models.detections import COLUMNS, Detections, blend_root_depth, shifted
from posecascade.models.keypoints import (
    box_occlusion,
    box_scales,
    boxes_in_frame,
    identity_switches,
    nms,
    truncation,
)
from posecascade.models.lab.fitting.calibration import neutral
from posecascade.models.records import Stage
from tests.standing import CAMERA, standing

PLACES = st.lists(
    st.tuples(st.floats(-2500, 2500), st.floats(1500, 9000), st.floats(0, 1)),
    max_size=8,
)


def detections_of(*people: tuple[float, float, float]) -> Detections:
    """Standing people, each (x mm, z mm, score)."""
    poses = [standing((x, 0, z)).pose for x, z, _ in people]
    ones = np.ones(len(people))
    return Detections(
        score=np.array([score for *_, score in people]).reshape(-1),
        joints_px=np.array([p.joints_px for p in poses]).reshape(-1, 25, 2),
        joint_scores=np.array([p.joint_scores for p in poses]).reshape(-1, 25),
        rel_mm=np.array([p.joints_rel_mm for p in poses]).reshape(-1, 25, 3),
        sigma_mm=np.array([p.sigma_mm for p in poses]).reshape(-1, 25),
        root_depth_mm=np.array([z for _, z, _ in people]).reshape(-1),
        root_depth_sigma_mm=100 * ones,
        disagreement=0 * ones,
    )


def test_of_two_detections_of_one_person_the_better_one_stays():
    detections = detections_of((0, 4000, 0.6), (8, 4010, 0.9), (900, 4000, 0.7))

    assert nms(detections.joints_px, detections.score).tolist() == [1, 2]


def test_neighbours_who_overlap_are_two_people():
    pair = detections_of((0, 4000, 0.9), (350, 4000, 0.8))

    assert len(nms(pair.joints_px, pair.score)) == 2


@given(PLACES)
def test_nms_keeps_distinct_people_sorted_by_score(places):
    detections = detections_of(*places)
    distinct = detections[nms(detections.joints_px, detections.score)]

    assert (np.diff(distinct.score) <= 0).all()
    assert nms(distinct.joints_px, distinct.score).tolist() == list(
        range(len(distinct))
    )
    assert distinct.score.max(initial=0) == detections.score.max(initial=0)


def pose_change(detections: Detections, onto: dict[int, int]) -> np.ndarray:
    """[P, 25, 2] everybody's joints, some of them where another is."""
    px = detections.joints_px.copy()
    for row, other in onto.items():
        px[row] = detections.joints_px[other] + 2
    return px


def rows(*numbers: int) -> np.ndarray:
    return np.array(numbers, np.intp)


THREE = detections_of((0, 4000, 0.9), (600, 4500, 0.8), (-900, 4000, 0.7))


def test_a_deeper_look_that_lands_on_another_person_is_astray():
    after = pose_change(THREE, {1: 0})

    assert identity_switches(THREE.joints_px, after, rows(0, 1, 2)).tolist() == [1]
    assert identity_switches(THREE.joints_px, after, rows(1)).tolist() == [1]


def test_several_can_land_on_one():
    assert identity_switches(
        THREE.joints_px, pose_change(THREE, {1: 0, 2: 0}), rows(0, 1, 2)
    ).tolist() == [1, 2]


def test_who_was_not_looked_at_keeps_their_pose():
    assert identity_switches(
        THREE.joints_px, pose_change(THREE, {1: 0}), rows(0, 2)
    ).tolist() == [0]


def test_nobody_is_astray_who_only_moved_a_little():
    assert (
        identity_switches(THREE.joints_px, THREE.joints_px + 5, rows(0, 1, 2)).tolist()
        == []
    )


def test_two_who_change_places_stay_two():
    assert (
        identity_switches(
            THREE.joints_px, pose_change(THREE, {0: 1, 1: 0}), rows(0, 1, 2)
        ).tolist()
        == []
    )


@given(PLACES, st.data())
def test_without_those_astray_nobody_shares_a_pose_who_did_not_before(places, data):
    detections = detections_of(*places)
    detections = detections[nms(detections.joints_px, detections.score)]
    people = range(len(detections))
    onto = (
        data.draw(st.dictionaries(st.sampled_from(people), st.sampled_from(people)))
        if len(detections)
        else {}
    )
    after = pose_change(detections, onto)
    gone = identity_switches(detections.joints_px, after, rows(*people))
    after[gone] = detections.joints_px[gone]

    assert set(gone) <= set(onto)
    assert identity_switches(detections.joints_px, after, rows(*people)).tolist() == []


def test_distance_after_a_deeper_look_lies_between_both_and_nearer_to_the_deeper():
    deeper = detections_of((0, 4000, 0.9), (600, 2000, 0.8))
    before = detections_of((0, 5000, 0.9), (600, 2000, 0.8))
    both = blend_root_depth(deeper, before)

    assert 4000 < both.root_depth_mm[0] < 4500
    assert both.root_depth_mm[1] == pytest.approx(2000)
    np.testing.assert_array_equal(both.rel_mm, deeper.rel_mm)


@given(PLACES)
def test_geometry_of_any_number_of_people_is_in_range(places):
    px = detections_of(*places).joints_px
    box = boxes_in_frame(px, 640, 480)

    assert (box >= 0).all()
    assert (box[:, :2] + box[:, 2:] <= [640.0001, 480.0001]).all()
    assert (box_scales(px) >= 4).all()
    for share in (box_occlusion(px), truncation(px, 640, 480)):
        assert share.shape == (len(px),)
        assert ((share >= 0) & (share <= 1)).all()


def test_a_box_inside_another_is_covered_and_the_large_one_only_in_part():
    near_and_far = detections_of((0, 2000, 0.9), (0, 8000, 0.9)).joints_px

    far_share, near_share = box_occlusion(near_and_far)[::-1]
    assert far_share == pytest.approx(1)
    assert near_share == pytest.approx(
        1 / 16, rel=0.1
    )  # perspective: the near person's toes are nearer still


def test_half_a_body_outside_the_frame_is_said_so():
    px = detections_of((0, 4000, 0.9)).joints_px

    assert truncation(px, 640, int(px[0, 0, 1]))[0] == pytest.approx(
        (px[0, :, 1] >= int(px[0, 0, 1])).mean()
    )
    assert truncation(px, 640, 480)[0] == 0


def test_outputs_leave_their_windows_and_are_calibrated():
    truth = detections_of((0, 4000, 0.5), (500, 3000, 0.8))
    windows = [Window(100, 50, 2.0), Window(-20, 10, 0.5)]
    outputs = {
        name: getattr(truth, name).astype(np.float32)
        for name in COLUMNS
        if name != "rel_mm"
    }
    outputs["joints_rel_mm"] = truth.rel_mm.astype(np.float32)
    outputs["joints_px"] = np.stack(
        [w.to_crop(px) for w, px in zip(windows, truth.joints_px, strict=True)]
    )
    calibration = replace(
        Calibration.read(neutral()),
        sigma_scale={Stage.REFINE: (2.0,) * 25},
        score={Stage.REFINE: (1.0, 1.0)},
    )

    output = from_outputs(outputs, windows, Stage.REFINE, calibration)

    np.testing.assert_allclose(output.joints_px, truth.joints_px, atol=1e-3)
    np.testing.assert_allclose(output.sigma_mm, 2 * truth.sigma_mm)
    np.testing.assert_allclose(
        output.score,
        1 / (1 + np.exp(-(np.log(truth.score / (1 - truth.score)) + 1))),
        rtol=1e-5,
    )


def test_a_pose_has_its_root_on_the_ray_of_its_pelvis_at_its_depth():
    pose = detections_of((700, 4000, 0.9)).pose(0, CAMERA)

    np.testing.assert_allclose(pose.root_mm, [700, 0, 4000], atol=1e-6)
    np.testing.assert_allclose(
        project(pose.joints_mm, CAMERA), pose.joints_px, atol=1e-6
    )
    assert pose.root_sigma_mm == pytest.approx(100 * np.hypot(700, 4000) / 4000)


def test_replacing_rows_leaves_the_others_and_the_original_alone():
    detections = detections_of((0, 4000, 0.5), (500, 4000, 0.6), (-500, 4000, 0.7))
    other = detections_of((900, 2000, 0.9))
    changed = detections.replaced(np.array([1]), other)

    assert changed.score.tolist() == [0.5, 0.9, 0.7]
    assert detections.score.tolist() == [0.5, 0.6, 0.7]
    np.testing.assert_array_equal(changed.joints_px[1], other.joints_px[0])


def test_looks_into_a_region_are_moved_to_the_frame():
    detections = detections_of((0, 4000, 0.5))

    np.testing.assert_allclose(
        shifted(detections, 30, 7).joints_px - detections.joints_px,
        np.full((1, 25, 2), [30, 7]),
    )
