"""Crops of people: whatever happens to the picture, the joints stay on their pixels."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from posecascade.models.lab.datasets.coco_crops import (
    COCO_JOINTS,
    Augmentation,
    Crop,
    CropPerson,
    augmented_crop,
    mirrored,
    plain_crop,
    to_photo,
    training_people,
)
from posecascade.models.lab.datasets.errors import NotForTraining
from posecascade.models.lab.datasets.labelled import LabelledFrame
from posecascade.models.skeleton import COCO17
from tests.models.lab.datasets import people as made_up

SEEDS = st.integers(0, 2**32 - 1)
SIZE_HW = (256, 192)
PHOTO_WH = (320, 240)
BOX = np.array([60.0, 30.0, 200.0, 220.0])
UNLABELLED = 4
SAME_LIGHT = Augmentation(occlusion=0, grey=0, blur=0, low_resolution=0, jpeg=0)
LEFT, RIGHT = (COCO17.joints.index(f"{side}_wrist") for side in ("left", "right"))


def person() -> CropPerson:
    """Seventeen joints in the box, one of them not labelled."""
    joints = np.random.default_rng(5).uniform(
        BOX[:2] + 8, BOX[2:] - 8, (COCO_JOINTS, 2)
    )
    joints[UNLABELLED] = np.nan
    frame = LabelledFrame(
        path=Path("made up"),
        size_wh_px=PHOTO_WH,
        camera=None,
        people=(),
        ignore_xyxy_px=np.empty((0, 4)),
        everyone_labelled=True,
        coco17=True,
    )
    return CropPerson(frame, joints, BOX)


def gradient() -> np.ndarray:
    """A photo whose blue and green say where a pixel lies; red is full, so that no pixel of it is black."""
    width, height = PHOTO_WH
    x, y = np.meshgrid((np.arange(width) + 0.5) / 2, np.arange(height) + 0.5)
    return np.stack([x + 20, y, np.full_like(x, 255)], -1).astype(np.uint8)


def colours_at(crop: Crop, joints: np.ndarray) -> np.ndarray:
    x, y = np.floor(crop.joints_px[joints]).astype(int).T
    return crop.image_bgr[y, x].astype(float)


@settings(max_examples=40, deadline=None)
@given(SEEDS)
def test_every_shown_joint_lies_on_its_pixel(seed):
    rng = np.random.default_rng(seed)
    plain_light = replace(SAME_LIGHT, any_rotation=0.5, cut_off=0.5)
    crop = augmented_crop(person(), gradient(), SIZE_HW, rng, plain_light)
    on_photo = to_photo(crop.joints_px, crop.to_crop)
    shown = crop.shown & (np.abs(on_photo - [160, 120]) < [158, 118]).all(-1)
    found = colours_at(crop, shown)
    wanted = gradient()[tuple(np.floor(on_photo[shown]).astype(int).T[::-1])]

    # The light changed by one factor and one shift a colour, so the joints' colours keep their order.
    assert crop.shown.any()
    for channel in (0, 1):
        _agree_in_order(found[:, channel], wanted[:, channel].astype(float))


def _agree_in_order(found: np.ndarray, wanted: np.ndarray) -> None:
    """Where two wanted values differ clearly, the found ones differ in the same sense."""
    apart = wanted[:, None] - wanted[None]
    same = found[:, None] - found[None]
    assert (same[apart > 8] >= 0).all()


@settings(max_examples=40, deadline=None)
@given(SEEDS)
def test_a_crop_leads_back_to_the_labels(seed):
    truth = person()
    rng = np.random.default_rng(seed)
    unmirrored = Augmentation(mirror=0)
    crop = augmented_crop(truth, gradient(), SIZE_HW, rng, unmirrored)
    back = to_photo(crop.joints_px, crop.to_crop)

    assert crop.labelled.sum() == COCO_JOINTS - 1
    assert not (crop.shown & ~crop.labelled).any()
    np.testing.assert_allclose(
        back[crop.labelled], truth.joints_px[crop.labelled], atol=1e-6
    )


@settings(max_examples=10, deadline=None)
@given(st.floats(-np.pi, np.pi), st.sampled_from([SIZE_HW, (64, 48)]))
def test_colours_of_a_turned_crop_are_those_of_the_photo(angle, size_hw):
    crop = plain_crop(person(), gradient(), size_hw, angle)
    x, y = to_photo(crop.joints_px, crop.to_crop)[crop.shown].T
    found = colours_at(crop, crop.shown)

    pixel = 1 / np.sqrt(np.linalg.det(crop.to_crop[:, :2]))
    np.testing.assert_allclose(found[:, 0], x / 2 + 20, atol=1 + pixel / 2)
    np.testing.assert_allclose(found[:, 1], y, atol=1 + pixel)


def test_half_a_turn_puts_each_joint_opposite():
    upright = plain_crop(person(), gradient(), SIZE_HW)
    turned = plain_crop(person(), gradient(), SIZE_HW, np.pi)
    size_wh = np.array(SIZE_HW[::-1])

    known = upright.labelled
    np.testing.assert_allclose(
        turned.joints_px[known], size_wh - upright.joints_px[known], atol=1e-6
    )


def test_the_mirror_image_changes_the_sides():
    before = plain_crop(person(), gradient(), SIZE_HW)
    after = mirrored(before)
    width = SIZE_HW[1]

    np.testing.assert_allclose(
        after.joints_px[LEFT], [width, 0] - before.joints_px[RIGHT] * [1, -1]
    )
    np.testing.assert_array_equal(mirrored(after).joints_px, before.joints_px)
    np.testing.assert_array_equal(
        colours_at(after, np.array([LEFT])), colours_at(before, np.array([RIGHT]))
    )


def test_a_joint_beyond_the_photos_new_edge_is_labelled_and_not_shown():
    always = replace(SAME_LIGHT, cut_off=1.0, cut_share=(0.3, 0.3))
    crops = [
        augmented_crop(
            person(), gradient(), SIZE_HW, np.random.default_rng(seed), always
        )
        for seed in range(20)
    ]

    assert any((crop.labelled & ~crop.shown).any() for crop in crops)
    black = [colours_at(crop, crop.shown).sum(-1) == 0 for crop in crops]
    assert not np.concatenate(black).any()


def test_no_photo_is_both_learned_from_and_held_out(tmp_path):
    box = [0, 0, 40, 60]
    joints = {name: [i + 1, 9, 2] for i, name in enumerate(COCO17.joints)}
    images = [
        made_up.image(f"{number:02}.png", width=64, height=64, trainable=number != 3)
        | {"people": [{"joints2d": joints, "box": box}] * 2}
        for number in range(21)
    ]
    learned, held_out = training_people(made_up.folder(tmp_path / "photos", *images))
    names = [
        {person.frame.path.name for person in part} for part in (learned, held_out)
    ]

    assert [len(part) for part in names] == [18, 2]
    assert not names[0] & names[1]
    assert "03.png" not in names[0] | names[1]


def test_photos_without_a_licence_to_train_on_are_refused(tmp_path):
    folder = made_up.folder(tmp_path / "photos", made_up.image())

    with pytest.raises(NotForTraining, match="no photo is marked"):
        training_people(folder)
