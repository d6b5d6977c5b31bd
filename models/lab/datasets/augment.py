"""Changes of a picture that the labels follow. All chance comes from the generator that is passed in."""

import math
from dataclasses import replace
from typing import Final

import cv2
import numpy as np

from posecascade.models.arrays import Floats, Image, Mask
from posecascade.models.lab.datasets.reshoot import reshot, window_camera
from posecascade.models.lab.datasets.sample import PoseSample, Visibility
from posecascade.models.skeleton import MIRROR

_ROLL_RAD: Final = math.radians(12)
_MOST_ROLL_RAD: Final = math.radians(35)
_ZOOM: Final = (0.6, 1.6)
_CLOSE: Final = (0.45, 0.85)
"""How much of a person the frame's height shows when it cuts them."""
_CLOSEST: Final = 4.0
"""No picture is enlarged more: small people would be cut out of a handful of pixels."""
_PATCH: Final = (0.15, 0.5)
"""Size of an occluder, in sizes of the person it hides (square root of the box's area)."""
_MOTION_PX: Final = (3, 11)
_DEFOCUS_PX: Final = (0.5, 2.0)


def varied(sample: PoseSample, rng: np.random.Generator) -> PoseSample:
    """Everything below, each with its chance: what a training run asks for."""
    sample = maybe_flipped(sample, rng)
    sample = truncated(sample, rng) if rng.random() < 0.15 else reframed(sample, rng)
    if rng.random() < 0.3:
        sample = occluded(sample, rng)
    sample = photometric(sample, rng)
    return blurred(sample, rng) if rng.random() < 0.2 else sample


def flipped(sample: PoseSample) -> PoseSample:
    """The mirror image; left and right change places, in the picture and in space."""
    width = sample.image_bgr.shape[1]
    camera = replace(sample.camera, cx=width - sample.camera.cx)
    px = np.where(
        sample.has_px[..., None], [width, 0] - sample.joints_px * [1, -1], 0.0
    )
    return replace(
        sample,
        image_bgr=np.ascontiguousarray(sample.image_bgr[:, ::-1]),
        camera=camera,
        joints_px=px[:, MIRROR],
        joints_mm=(sample.joints_mm * [-1, 1, 1])[:, MIRROR],
        has_px=sample.has_px[:, MIRROR],
        has_mm=sample.has_mm[:, MIRROR],
        visibility=sample.visibility[:, MIRROR],
        box_xyxy=_flipped_boxes(sample.box_xyxy, width),
        ignore_xyxy=_flipped_boxes(sample.ignore_xyxy, width),
    )


def maybe_flipped(sample: PoseSample, rng: np.random.Generator) -> PoseSample:
    """`flipped` half of the time."""
    return flipped(sample) if rng.random() < 0.5 else sample


def reframed(sample: PoseSample, rng: np.random.Generator) -> PoseSample:
    """Nearer or further, rolled, moved; a picture of the same size."""
    height, width = sample.image_bgr.shape[:2]
    zoom = math.exp(rng.uniform(*np.log(_ZOOM)))
    roll = float(np.clip(rng.normal(0, _ROLL_RAD), -_MOST_ROLL_RAD, _MOST_ROLL_RAD))
    slack = 0.5 * abs(1 - 1 / zoom) + 0.05
    centre = np.array([width, height]) * (0.5 + rng.uniform(-slack, slack, 2))
    return reshot(
        sample,
        window_camera(sample.camera, centre, zoom, (width, height), roll),
        (width, height),
        roll,
    )


def truncated(sample: PoseSample, rng: np.random.Generator) -> PoseSample:
    """So near to one person that the frame cuts them off, as far as the pixels allow; unchanged without people."""
    if not sample.people:
        return sample
    height, width = sample.image_bgr.shape[:2]
    left, top, right, bottom = sample.box_xyxy[rng.integers(sample.people)]
    zoom = min(height / max(rng.uniform(*_CLOSE) * (bottom - top), 1.0), _CLOSEST)
    share = rng.uniform(0.2, 0.8, 2)
    centre = np.array([left, top]) * (1 - share) + np.array([right, bottom]) * share
    return reshot(
        sample,
        window_camera(sample.camera, centre, zoom, (width, height)),
        (width, height),
    )


def occluded(sample: PoseSample, rng: np.random.Generator) -> PoseSample:
    """A patch of the same picture, or of one colour, over part of one person; unchanged where there is nobody.

    Joints behind it are hidden by something else, whatever was known of them.
    """
    if not sample.people:
        return sample
    left, top, right, bottom = sample.box_xyxy[rng.integers(sample.people)]
    size = math.sqrt(max((right - left) * (bottom - top), 1.0))
    centre = np.array([rng.uniform(left, right), rng.uniform(top, bottom)])
    half = np.maximum(size * rng.uniform(*_PATCH, 2) / 2, 1.0)
    image = sample.image_bgr.copy()
    covered = _ellipse(sample.image_bgr, centre, half)
    image[covered] = _filling(sample.image_bgr, rng)[covered]
    behind = (np.square((sample.joints_px - centre) / half).sum(-1) < 1) & sample.has_px
    behind &= sample.visibility != Visibility.OUTSIDE
    visibility = np.where(behind, int(Visibility.HIDDEN), sample.visibility).astype(
        np.int8
    )
    return replace(sample, image_bgr=image, visibility=visibility)


def photometric(sample: PoseSample, rng: np.random.Generator) -> PoseSample:
    """Other light, other colours, and for three in ten a hard JPEG; joints stay where they are."""
    light = sample.image_bgr * rng.uniform(0.6, 1.4) * rng.uniform(
        0.85, 1.15, 3
    ) + rng.uniform(-30, 30)
    image = np.asarray(np.clip(light, 0, 255), np.uint8)
    if rng.random() < 0.3:
        coded = cv2.imencode(
            ".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(20, 90))]
        )[1]
        image = np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR), np.uint8)
    return replace(sample, image_bgr=image)


def blurred(sample: PoseSample, rng: np.random.Generator) -> PoseSample:
    """Out of focus, or shaken along a line."""
    if rng.random() < 0.5:
        image = cv2.GaussianBlur(sample.image_bgr, (0, 0), rng.uniform(*_DEFOCUS_PX))
    else:
        image = cv2.filter2D(
            sample.image_bgr,
            -1,
            _line(int(rng.integers(*_MOTION_PX)), rng.uniform(0, math.pi)),
        )
    return replace(sample, image_bgr=np.asarray(image, np.uint8))


def _line(length: int, angle_rad: float) -> Floats:
    """A kernel that smears along a line; adds up to one."""
    side = length | 1
    reach = np.array([math.cos(angle_rad), math.sin(angle_rad)]) * (side // 2)
    kernel = np.zeros((side, side), np.float32)
    middle = side // 2
    start, end = (
        tuple(int(v) for v in np.round(middle + sign * reach)) for sign in (-1, 1)
    )
    cv2.line(kernel, start, end, 1.0)
    return np.asarray(kernel / kernel.sum())


def _ellipse(image: Image, centre: Floats, half: Floats) -> Mask:
    """[H, W] pixels whose middle is in an upright ellipse."""
    rows, columns = np.ogrid[: image.shape[0], : image.shape[1]]
    across = (columns + 0.5 - centre[0]) / half[0]
    down = (rows + 0.5 - centre[1]) / half[1]
    return np.asarray(across**2 + down**2 < 1)


def _filling(image: Image, rng: np.random.Generator) -> Image:
    """What an occluder looks like: the picture itself, moved and turned about, or one colour."""
    if rng.random() < 0.3:
        return np.broadcast_to(rng.integers(0, 256, 3).astype(np.uint8), image.shape)
    shift = (int(rng.integers(image.shape[0])), int(rng.integers(image.shape[1])))
    return np.roll(image[::-1] if rng.random() < 0.5 else image, shift, (0, 1))


def _flipped_boxes(boxes: Floats, width: int) -> Floats:
    return np.stack(
        [width - boxes[:, 2], boxes[:, 1], width - boxes[:, 0], boxes[:, 3]], 1
    )
