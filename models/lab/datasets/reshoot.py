"""The picture as another camera at the same place would have taken it: enlarged, rolled, moved, cut.

A camera that only turns about its optical axis and changes its intrinsics maps pixels to pixels by an affine map, and
joints to joints by the same roll: picture, 2D and 3D stay one truth.
"""

import math
from dataclasses import replace
from typing import Final

import cv2
import numpy as np

from posecascade.models.arrays import Floats, Image, Mask
from posecascade.models.lab.datasets.sample import PoseSample, Visibility
from posecascade.models.records import Camera

_HALF_PIXEL: Final = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1]])
"""From OpenCV's pixels, centres at whole numbers, to ours, centres at halves."""
_SHRINKS: Final = 0.7
"""Zoom below which the picture is smoothed first, so that fine patterns do not turn into false ones."""


def reshot(
    sample: PoseSample,
    camera: Camera,
    size_wh_px: tuple[int, int],
    roll_rad: float = 0.0,
) -> PoseSample:
    """The sample through `camera`, rolled clockwise as seen in the picture.

    What the first picture does not show is black, and joints there stay outside. People wholly outside are left out,
    with their labels.
    """
    to_new = _affine(sample.camera, camera, roll_rad)
    px = np.where(sample.has_px[..., None], _mapped(to_new, sample.joints_px), 0.0)
    mm = np.where(sample.has_mm[..., None], sample.joints_mm @ _roll(roll_rad).T, 0.0)
    boxes = _ellipse_boxes(to_new, sample.box_xyxy)
    moved = replace(
        sample,
        image_bgr=_warped(sample.image_bgr, to_new, size_wh_px),
        camera=camera,
        joints_px=px,
        joints_mm=mm,
        visibility=_still_seen(sample, px, size_wh_px),
        box_xyxy=boxes,
        ignore_xyxy=_corner_boxes(to_new, sample.ignore_xyxy),
    )
    return moved.of_people(_overlap(boxes, size_wh_px))


def window_camera(
    camera: Camera,
    centre_px: Floats,
    zoom: float,
    size_wh_px: tuple[int, int],
    roll_rad: float = 0.0,
) -> Camera:
    """The camera that shows `centre_px` of the first picture in the middle of the new one, `zoom` times as large.

    Pixels become square: both focal lengths are those of x.
    """
    rolled = _roll(roll_rad)[:2, :2] @ (
        (centre_px - [camera.cx, camera.cy]) / [camera.fx, camera.fy]
    )
    focal = camera.fx * zoom
    x, y = np.array(size_wh_px) / 2 - focal * rolled
    return replace(camera, fx=focal, fy=focal, cx=float(x), cy=float(y))


def _roll(angle_rad: float) -> Floats:
    cos = math.cos(angle_rad)
    sin = math.sin(angle_rad)
    return np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]])


def _matrix(camera: Camera) -> Floats:
    return np.array([[camera.fx, 0, camera.cx], [0, camera.fy, camera.cy], [0, 0, 1]])


def _affine(old: Camera, new: Camera, roll_rad: float) -> Floats:
    """[3, 3] pixels of the old picture to pixels of the new."""
    return _matrix(new) @ _roll(roll_rad) @ np.linalg.inv(_matrix(old))


def _mapped(affine: Floats, points_px: Floats) -> Floats:
    return points_px @ affine[:2, :2].T + affine[:2, 2]


def _warped(image: Image, affine: Floats, size_wh_px: tuple[int, int]) -> Image:
    zoom = math.sqrt(abs(np.linalg.det(affine[:2, :2])))
    if zoom < _SHRINKS:
        image = np.asarray(cv2.GaussianBlur(image, (0, 0), 0.4 / zoom), np.uint8)
    opencv = np.linalg.inv(_HALF_PIXEL) @ affine @ _HALF_PIXEL
    return np.asarray(
        cv2.warpAffine(image, opencv[:2], size_wh_px, flags=cv2.INTER_LINEAR), np.uint8
    )


def _inside(px: Floats, size_wh_px: tuple[int, int]) -> Mask:
    return np.asarray(((px >= 0) & (px < size_wh_px)).all(-1))


def _still_seen(
    sample: PoseSample, px: Floats, size_wh_px: tuple[int, int]
) -> np.ndarray:
    """[P, 25] visibility: who leaves either frame is outside, the others keep what is known."""
    height, width = sample.image_bgr.shape[:2]
    outside = sample.has_px & ~(
        _inside(px, size_wh_px) & _inside(sample.joints_px, (width, height))
    )
    return np.where(outside, int(Visibility.OUTSIDE), sample.visibility).astype(np.int8)


def _ellipse_boxes(affine: Floats, boxes: Floats) -> Floats:
    """[N, 4] boxes round what the ellipses within the boxes become: people do not fill the corners of theirs."""
    centre = _mapped(affine, (boxes[:, :2] + boxes[:, 2:]) / 2)
    half = (boxes[:, 2:] - boxes[:, :2]) / 2
    reach = np.sqrt(np.square(half[:, None] * affine[None, :2, :2]).sum(-1))
    return np.concatenate([centre - reach, centre + reach], 1)


def _corner_boxes(affine: Floats, boxes: Floats) -> Floats:
    """[N, 4] boxes round what the boxes become: regions to ignore may grow, not shrink."""
    centre = _mapped(affine, (boxes[:, :2] + boxes[:, 2:]) / 2)
    reach = np.abs(
        affine[None, :2, :2] * ((boxes[:, 2:] - boxes[:, :2]) / 2)[:, None]
    ).sum(-1)
    return np.concatenate([centre - reach, centre + reach], 1)


def _overlap(boxes: Floats, size_wh_px: tuple[int, int]) -> Mask:
    return np.asarray(((boxes[:, 2:] > 0) & (boxes[:, :2] < size_wh_px)).all(1))
