"""Property tests: whatever happens to a picture, its labels say the same of it."""

from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from posecascade.models.camera import project
from posecascade.models.lab.datasets import augment
from posecascade.models.lab.datasets.reshoot import reshot, window_camera
from posecascade.models.lab.datasets.sample import PoseSample, Visibility
from posecascade.models.skeleton import JOINT_NAMES
from tests.models.lab.datasets.people import SIZE_WH_PX, sample

SEEDS = st.integers(0, 2**32 - 1)
PEOPLE = st.integers(0, 3)
CHANGES = [
    augment.varied,
    augment.maybe_flipped,
    augment.reframed,
    augment.truncated,
    augment.occluded,
    augment.photometric,
    augment.blurred,
]
LEFT = JOINT_NAMES.index("left_wrist")
RIGHT = JOINT_NAMES.index("right_wrist")


def columns(of: PoseSample) -> dict[str, np.ndarray]:
    names = (
        "image_bgr",
        "joints_px",
        "joints_mm",
        "has_px",
        "has_mm",
        "visibility",
        "box_xyxy",
        "ignore_xyxy",
    )
    return {name: getattr(of, name) for name in names}


@settings(max_examples=20)
@given(PEOPLE, SEEDS)
def test_twice_flipped_is_as_before(people, seed):
    before = sample(people, seed)
    after = augment.flipped(augment.flipped(before))

    for name, column in columns(before).items():
        np.testing.assert_allclose(
            getattr(after, name), column, atol=1e-9, err_msg=name
        )
    assert after.camera == before.camera


def test_a_flip_changes_the_sides():
    before = sample()
    after = augment.flipped(before)

    np.testing.assert_allclose(
        after.joints_mm[:, LEFT], before.joints_mm[:, RIGHT] * [-1, 1, 1]
    )
    assert np.array_equal(after.has_px[:, LEFT], before.has_px[:, RIGHT])


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
@settings(max_examples=8)
@given(PEOPLE, SEEDS, SEEDS)
def test_3d_still_projects_onto_2d(
    change: Callable[..., PoseSample], people, seed, chance
):
    after = change(sample(people, seed), np.random.default_rng(chance))
    both = after.has_px & after.has_mm

    np.testing.assert_allclose(
        project(after.joints_mm[both], after.camera), after.joints_px[both], atol=1e-6
    )


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
@settings(max_examples=8)
@given(PEOPLE, SEEDS, SEEDS)
def test_labelled_joints_out_of_the_picture_are_outside(
    change: Callable[..., PoseSample], people, seed, chance
):
    after = change(sample(people, seed), np.random.default_rng(chance))
    height, width = after.image_bgr.shape[:2]
    out = after.has_px & ~(
        (after.joints_px >= 0) & (after.joints_px < [width, height])
    ).all(-1)

    assert (after.visibility[out] == Visibility.OUTSIDE).all()
    assert not after.joints_px[~after.has_px].any()
    assert not after.joints_mm[~after.has_mm].any()


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_equal_generators_change_alike(change: Callable[..., PoseSample]):
    first, second = (change(sample(), np.random.default_rng(5)) for _ in range(2))

    for name, column in columns(first).items():
        assert np.array_equal(column, getattr(second, name)), name


@settings(max_examples=20)
@given(
    st.floats(0.6, 2.0), st.floats(-0.6, 0.6), st.floats(90, 220), st.floats(70, 170)
)
def test_the_picture_moves_with_the_joints(zoom, roll, x, y):
    """A bright spot stays where its pixel goes; spots that touch would pull at each other's centre."""
    assume(np.hypot(x - 160, y - 120) > 40)
    before = spotted(np.array([[x, y], [160.0, 120.0]]))
    camera = window_camera(
        before.camera, np.array([160.0, 120.0]), zoom, SIZE_WH_PX, roll
    )
    after = reshot(before, camera, SIZE_WH_PX, roll)

    for spot in after.joints_px[0, :2]:
        if (spot > 8).all() and (spot < np.array(SIZE_WH_PX) - 8).all():
            np.testing.assert_allclose(
                brightest_near(after.image_bgr, spot), spot, atol=0.6
            )


def spotted(places_px: np.ndarray) -> PoseSample:
    """A dark sample with a soft spot at each place, marked as the first joints of one person."""
    width, height = SIZE_WH_PX
    rows, across = np.mgrid[:height, :width] + 0.5
    glow = sum(
        np.exp(-((across - x) ** 2 + (rows - y) ** 2) / 18) for x, y in places_px
    )
    px = np.zeros((1, 25, 2))
    has = np.zeros((1, 25), bool)
    px[0, : len(places_px)], has[0, : len(places_px)] = places_px, True
    shown = np.repeat((np.clip(glow, 0, 1) * 255).astype(np.uint8)[..., None], 3, 2)
    return replace(
        sample(1),
        image_bgr=shown,
        joints_px=px,
        has_px=has,
        joints_mm=np.zeros((1, 25, 3)),
        has_mm=np.zeros((1, 25), bool),
        visibility=np.full((1, 25), 3, np.int8),
        box_xyxy=np.array([[0.0, 0, width, height]]),
    )


def brightest_near(image: np.ndarray, spot: np.ndarray, reach: int = 7) -> np.ndarray:
    """Centre of light round a pixel."""
    x, y = (int(v) for v in spot)
    light = image[y - reach : y + reach + 1, x - reach : x + reach + 1, 0].astype(float)
    rows, across = np.mgrid[y - reach : y + reach + 1, x - reach : x + reach + 1] + 0.5
    return np.array([(across * light).sum(), (rows * light).sum()]) / light.sum()


def test_a_cut_person_reaches_over_the_frame():
    rng = np.random.default_rng(3)
    cut = 0
    for seed in range(10):
        after = augment.truncated(sample(1, seed), rng)
        over = (after.box_xyxy[:, :2] < 0) | (after.box_xyxy[:, 2:] > SIZE_WH_PX)
        cut += bool(over.any())

    assert cut == 10


def test_whoever_leaves_the_picture_leaves_the_labels():
    before = sample(2)
    away = window_camera(before.camera, np.array([-5000.0, 120.0]), 1.0, SIZE_WH_PX)

    assert reshot(before, away, SIZE_WH_PX).people == 0


def test_a_patch_hides_what_is_behind_it():
    before = sample(1)
    after = augment.occluded(before, np.random.default_rng(0))
    changed = (after.image_bgr != before.image_bgr).any(-1)
    hidden = after.visibility != before.visibility

    assert changed.any()
    for x, y in after.joints_px[hidden]:
        assert cv2.dilate(changed.astype(np.uint8), np.ones((5, 5)))[int(y), int(x)]
    assert (after.visibility[hidden] == Visibility.HIDDEN).all()


def test_without_people_nothing_is_cut_or_hidden():
    nobody = sample(0)

    assert augment.truncated(nobody, np.random.default_rng(0)) is nobody
    assert augment.occluded(nobody, np.random.default_rng(0)) is nobody
