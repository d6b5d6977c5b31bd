"""Crops of hand-labelled people of COCO, plain for measuring and augmented for training.

A crop is cut at the labelled box by one affine map, which the joints follow. Pixel coordinates are continuous: the
first pixel spans 0 to 1. Source: COCO 2017 (arXiv 1405.0312); annotations CC BY 4.0, each photo under its own licence.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from posecascade.models.arrays import Floats, Image, Indices, Mask
from posecascade.models.lab.datasets.errors import NotForTraining
from posecascade.models.lab.datasets.labelled import LabelledFrame, read_folder
from posecascade.models.skeleton import COCO17, MIRROR

COCO_JOINTS: Final = len(COCO17.joints)
MARGIN: Final = 1.25
"""The crop over the box, along the side that fills it."""

HELD_OUT_EVERY: Final = 10
"""One labelled photo in so many is kept out of training."""

FEWEST_JOINTS: Final = 5
SMALLEST_BOX_PX: Final = 20.0
"""Square root of a box's area; below it the labels are coarser than the crop's cells."""

_SOURCE: Final = np.array(COCO17.source)
_MIRROR: Final = np.array([COCO17.source.index(int(MIRROR[j])) for j in COCO17.source])
"""[17] each COCO joint's counterpart when left and right change places."""


@dataclass(frozen=True, slots=True, eq=False)
class CropPerson:
    """A labelled person and the photo that they are in."""

    frame: LabelledFrame
    joints_px: Floats
    """[17, 2] photo space; NaN where not labelled."""

    box_xyxy_px: Floats
    """[4]"""


@dataclass(frozen=True, slots=True, eq=False)
class Crop:
    """A network input and its labels."""

    image_bgr: Image
    joints_px: Floats
    """[17, 2] crop space; zeros where not labelled; may lie outside of the crop."""

    labelled: Mask
    """[17] the joint's place is known."""

    shown: Mask
    """[17] that place is in the crop and in the photo, be the joint visible or hidden."""

    box_xyxy_px: Floats
    """[4] crop space: round what is shown of the person."""

    to_crop: Floats
    """[2, 3] affine map of photo pixels to crop pixels."""


@dataclass(frozen=True, slots=True)
class Augmentation:
    """How much a training crop is changed; shares are probabilities."""

    mirror: float = 0.5
    any_rotation: float = 0.25
    """Share turned by any angle up to 180 degrees; the others are tilted."""
    tilt_rad: float = math.radians(15)
    """Standard deviation; at most three of them."""
    scale: tuple[float, float] = (0.75, 1.3)
    """Of the person in the crop."""
    shift: float = 0.08
    """Of the crop's size, either way, along each axis."""
    cut_off: float = 0.2
    """Share of which a part is out of view, as at the photo's edge."""
    cut_share: tuple[float, float] = (0.45, 0.85)
    """Of the box that stays in view."""
    occlusion: float = 0.35
    """Share with a patch in front of the person."""
    patch: tuple[float, float] = (0.1, 0.45)
    """Sides of a patch, in square roots of the box's area."""
    grey: float = 0.05
    blur: float = 0.15
    low_resolution: float = 0.15
    jpeg: float = 0.2


def training_people(folder: Path) -> tuple[list[CropPerson], list[CropPerson]]:
    """The people to train on and those held out, split by photo so that no photo is in both.

    Raises:
        LabelsError: the folder cannot be read.
        NotForTraining: no photo of the folder may be trained on.
    """
    frames = [frame for frame in read_folder(folder).frames if frame.trainable]
    if not frames:
        raise NotForTraining(f"{folder}: no photo is marked `trainable`")
    in_order = sorted(frames, key=lambda frame: frame.path.name)
    labelled = [frame for frame in in_order if _people(frame, FEWEST_JOINTS)]
    held_out = labelled[::HELD_OUT_EVERY]
    learned = [frame for i, frame in enumerate(labelled) if i % HELD_OUT_EVERY]
    return people_of(learned), people_of(held_out)


def people_of(
    frames: Sequence[LabelledFrame], fewest_joints: int = FEWEST_JOINTS
) -> list[CropPerson]:
    """Everybody with enough labelled joints whose box is large enough to tell them apart."""
    return [person for frame in frames for person in _people(frame, fewest_joints)]


def _people(frame: LabelledFrame, fewest_joints: int) -> list[CropPerson]:
    people = []
    for person in frame.people:
        joints = np.asarray(person.joints_px[_SOURCE], np.float64)
        width, height = np.abs(person.box_xyxy_px[2:] - person.box_xyxy_px[:2])
        large = math.sqrt(width * height) >= SMALLEST_BOX_PX
        if large and np.isfinite(joints[:, 0]).sum() >= fewest_joints:
            people.append(CropPerson(frame, joints, person.box_xyxy_px))
    return people


class PhotoCache:
    """Photos decoded once; 714 photos of COCO take 0.6 GB."""

    def __init__(self) -> None:
        self._photos: dict[Path, Image] = {}

    def __call__(self, person: CropPerson) -> Image:
        """[H, W, 3] the person's photo.

        Raises:
            LabelsError: it cannot be decoded.
        """
        path = person.frame.path
        if path not in self._photos:
            self._photos[path] = person.frame.image_bgr()
        return self._photos[path]


def plain_crop(
    person: CropPerson,
    photo_bgr: Image,
    size_hw: tuple[int, int],
    angle_rad: float = 0.0,
) -> Crop:
    """The person at the true box, turned by `angle_rad` clockwise."""
    to_crop = _affine(person.box_xyxy_px, size_hw, angle_rad)
    return _cropped(
        person.joints_px,
        person.box_xyxy_px,
        photo_bgr,
        _bounds(photo_bgr),
        to_crop,
        size_hw,
    )


def augmented_crop(
    person: CropPerson,
    photo_bgr: Image,
    size_hw: tuple[int, int],
    rng: np.random.Generator,
    how: Augmentation | None = None,
) -> Crop:
    """The person as another camera might have shown them; `how` defaults to `Augmentation()`."""
    how = how or Augmentation()
    box = person.box_xyxy_px
    bounds = _bounds(photo_bgr)
    if rng.random() < how.cut_off:
        box, ended = _cut_off(box, bounds, rng, how)
        if rng.random() < 0.5:
            bounds = ended
            photo_bgr = _black_beyond(photo_bgr, bounds)
    if rng.random() < how.occlusion:
        photo_bgr = _occluded(photo_bgr, box, rng, how)
    to_crop = _affine(
        box,
        size_hw,
        angle_rad=_angle(rng, how),
        scale=math.exp(rng.uniform(*np.log(how.scale))),
        shift=rng.uniform(-how.shift, how.shift, 2),
    )
    crop = _cropped(person.joints_px, box, photo_bgr, bounds, to_crop, size_hw)
    if rng.random() < how.mirror:
        crop = mirrored(crop)
    return replace(crop, image_bgr=_photometric(crop.image_bgr, rng, how))


def mirrored(crop: Crop) -> Crop:
    """The mirror image; left and right joints change places."""
    width = crop.image_bgr.shape[1]
    flip = np.array([[-1.0, 0.0, width], [0.0, 1.0, 0.0]])
    joints = np.where(crop.labelled[:, None], _moved(crop.joints_px, flip), 0.0)
    left, top, right, bottom = crop.box_xyxy_px
    return Crop(
        image_bgr=np.ascontiguousarray(crop.image_bgr[:, ::-1]),
        joints_px=joints[_MIRROR],
        labelled=crop.labelled[_MIRROR],
        shown=crop.shown[_MIRROR],
        box_xyxy_px=np.array([width - right, top, width - left, bottom]),
        to_crop=_after(flip, crop.to_crop),
    )


def to_photo(points_px: Floats, to_crop: Floats) -> Floats:
    """[..., 2] crop pixels as photo pixels."""
    inverse = np.linalg.inv(to_crop[:, :2])
    return np.asarray((points_px - to_crop[:, 2]) @ inverse.T)


def _cropped(
    joints_px: Floats,
    box_xyxy_px: Floats,
    photo_bgr: Image,
    bounds_xyxy_px: Floats,
    to_crop: Floats,
    size_hw: tuple[int, int],
) -> Crop:
    labelled = np.isfinite(joints_px[:, 0])
    joints = np.where(labelled[:, None], _moved(np.nan_to_num(joints_px), to_crop), 0.0)
    middle, half = _turned_extent(box_xyxy_px, to_crop)
    whole = np.array([0.0, 0.0, *size_hw[::-1]])
    shown = labelled & _inside(joints_px, bounds_xyxy_px) & _inside(joints, whole)
    return Crop(
        image_bgr=_warped(photo_bgr, to_crop, size_hw),
        joints_px=joints,
        labelled=labelled,
        shown=shown,
        box_xyxy_px=np.concatenate([middle - half, middle + half]),
        to_crop=to_crop,
    )


def _affine(
    box_xyxy_px: Floats,
    size_hw: tuple[int, int],
    angle_rad: float = 0.0,
    scale: float = 1.0,
    shift: Floats | None = None,
) -> Floats:
    """[2, 3] the map that fits the turned person into the crop; `shift` [2] moves them by shares of the crop."""
    cos, sin = math.cos(angle_rad), math.sin(angle_rad)
    turn = np.array([[cos, -sin], [sin, cos]])  # clockwise, since y points down
    unscaled = np.concatenate([turn, np.zeros((2, 1))], axis=1)
    half = _turned_extent(box_xyxy_px, unscaled)[1]
    size_wh = np.array(size_hw[::-1], np.float64)
    fit = float((size_wh / np.maximum(2 * MARGIN * half, 1.0)).min())
    linear = scale * fit * turn
    place = size_wh * (0.5 if shift is None else 0.5 + shift)
    centre = (box_xyxy_px[:2] + box_xyxy_px[2:]) / 2
    return np.concatenate([linear, (place - linear @ centre)[:, None]], axis=1)


def _turned_extent(box_xyxy_px: Floats, to_crop: Floats) -> tuple[Floats, Floats]:
    """Middle [2] and half sides [2] of the box of the ellipse in a box: a body leaves a box's corners empty."""
    middle = (box_xyxy_px[:2] + box_xyxy_px[2:]) / 2
    half = (box_xyxy_px[2:] - box_xyxy_px[:2]) / 2
    reach = np.sqrt(np.square(to_crop[:, :2] * half).sum(1))
    return _moved(middle, to_crop), reach


def _moved(points: Floats, affine: Floats) -> Floats:
    """[..., 2] points through an affine map [2, 3]."""
    return np.asarray(points @ affine[:, :2].T + affine[:, 2])


def _after(second: Floats, first: Floats) -> Floats:
    """[2, 3] the map that does `first`, then `second`."""
    linear = second[:, :2] @ first[:, :2]
    return np.concatenate([linear, _moved(first[:, 2], second)[:, None]], axis=1)


def _warped(photo_bgr: Image, to_crop: Floats, size_hw: tuple[int, int]) -> Image:
    """[h, w, 3] the crop, free of aliasing; black beyond the photo."""
    scale = math.sqrt(abs(float(np.linalg.det(to_crop[:, :2]))))
    affine = to_crop
    while scale < 0.6:  # halved by averaging, then bilinear
        even = photo_bgr[: photo_bgr.shape[0] // 2 * 2, : photo_bgr.shape[1] // 2 * 2]
        if min(even.shape[:2]) < 2:
            break
        half_wh = even.shape[1] // 2, even.shape[0] // 2
        photo_bgr = np.asarray(
            cv2.resize(even, half_wh, interpolation=cv2.INTER_AREA), np.uint8
        )
        doubling = np.array([[2.0, 0.0, 0.0], [0.0, 2.0, 0.0]])
        affine = _after(affine, doubling)
        scale *= 2
    # OpenCV's pixels have their middle at whole numbers, ours at halves.
    to_corner = np.array([[1.0, 0.0, 0.5], [0.0, 1.0, 0.5]])
    to_middle = np.array([[1.0, 0.0, -0.5], [0.0, 1.0, -0.5]])
    matrix = _after(to_middle, _after(affine, to_corner))
    warped = cv2.warpAffine(photo_bgr, matrix, size_hw[::-1], flags=cv2.INTER_LINEAR)
    return np.asarray(warped, np.uint8)


def _angle(rng: np.random.Generator, how: Augmentation) -> float:
    if rng.random() < how.any_rotation:
        return float(rng.uniform(-math.pi, math.pi))
    return float(how.tilt_rad * np.clip(rng.normal(), -3, 3))


def _bounds(photo_bgr: Image) -> Floats:
    """[4] x0, y0, x1, y1 of a whole photo."""
    height, width = photo_bgr.shape[:2]
    return np.array([0.0, 0.0, width, height])


def _inside(points: Floats, box_xyxy: Floats) -> Mask:
    """[N] whether points [N, 2] lie in a box [4]; NaN does not."""
    after = points >= box_xyxy[:2]
    before = points < box_xyxy[2:]
    return np.asarray((after & before).all(-1))


def _cut_off(
    box: Floats, bounds: Floats, rng: np.random.Generator, how: Augmentation
) -> tuple[Floats, Floats]:
    """The box without a strip along one side, and the bounds of a photo that ends there."""
    part = np.array(box, np.float64)
    ended = bounds.copy()
    axis = int(rng.random() < 0.6)  # more often feet or head than one side
    side = axis if rng.random() < 0.35 else axis + 2
    strip = (box[axis + 2] - box[axis]) * (1 - rng.uniform(*how.cut_share))
    part[side] += strip if side == axis else -strip
    ended[side] = np.clip(np.round(part[side]), bounds[axis], bounds[axis + 2])
    return part, ended


def _black_beyond(photo_bgr: Image, bounds: Floats) -> Image:
    """The photo, black outside of whole-numbered bounds."""
    left, top, right, bottom = bounds.astype(int)
    photo = np.zeros_like(photo_bgr)
    photo[top:bottom, left:right] = photo_bgr[top:bottom, left:right]
    return photo


def _occluded(
    photo_bgr: Image, box: Floats, rng: np.random.Generator, how: Augmentation
) -> Image:
    """The photo with one to three patches over the box, of one colour or of the photo itself from elsewhere."""
    photo = photo_bgr.copy()
    limit = np.array(photo.shape[1::-1])
    size = math.sqrt(max(float(np.prod(box[2:] - box[:2])), 1.0))
    for _ in range(rng.integers(1, 4)):
        half = size * rng.uniform(*how.patch, 2) / 2
        middle = rng.uniform(box[:2], box[2:])
        low = np.clip(middle - half, 0, limit - 1).astype(int)
        high = np.clip(middle + half + 1, 1, limit).astype(int)
        rows, columns = slice(low[1], high[1]), slice(low[0], high[0])
        photo[rows, columns] = _filling(photo_bgr, high - low, rng)
    return photo


def _filling(photo_bgr: Image, size_wh: Indices, rng: np.random.Generator) -> Image:
    """[h, w, 3] or [3] what a patch looks like."""
    if rng.random() < 0.4:
        return rng.integers(0, 256, 3).astype(np.uint8)
    height, width = photo_bgr.shape[:2]
    x = rng.integers(0, width - size_wh[0] + 1)
    y = rng.integers(0, height - size_wh[1] + 1)
    return photo_bgr[y : y + size_wh[1], x : x + size_wh[0]]


def _photometric(image: Image, rng: np.random.Generator, how: Augmentation) -> Image:
    """Other light, other colours, a worse camera; joints stay where they are."""
    height, width = image.shape[:2]
    if rng.random() < how.low_resolution:
        factor = rng.uniform(0.2, 0.6)
        small = cv2.resize(
            image, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA
        )
        image = np.asarray(cv2.resize(small, (width, height)), np.uint8)
    if rng.random() < how.blur:
        blurred = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.5, 2.0))
        image = np.asarray(blurred, np.uint8)
    light = (image / 255.0) ** math.exp(rng.normal(0, 0.2))
    light = 0.5 + (light - 0.5) * rng.uniform(0.7, 1.3)
    light = light * rng.uniform(0.85, 1.15, 3) + rng.uniform(-0.12, 0.12)
    if rng.random() < how.grey:
        light = np.repeat(light.mean(2, keepdims=True), 3, axis=2)
    image = np.asarray(np.clip(255 * light, 0, 255), np.uint8)
    if rng.random() < how.jpeg:
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(25, 90))]
        coded = cv2.imencode(".jpg", image, quality)[1]
        image = np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR), np.uint8)
    return image
