"""Changes of a picture that the labels follow. All chance comes from the generator that is passed in."""

from dataclasses import replace

import cv2
import numpy as np

from models.arrays import Floats
from models.datasets.sample import PoseSample
from models.skeleton import MIRROR


def flipped(sample: PoseSample) -> PoseSample:
    """The mirror image; left and right change places, in the picture and in space."""
    width = sample.image_bgr.shape[1]
    camera = replace(sample.camera, cx=width - sample.camera.cx)
    px = np.where(sample.has_px[..., None], [width, 0] - sample.joints_px * [1, -1], 0.0)
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


def photometric(sample: PoseSample, rng: np.random.Generator) -> PoseSample:
    """Other light, other colours, and for three in ten a hard JPEG; joints stay where they are."""
    image = sample.image_bgr * rng.uniform(0.6, 1.4) * rng.uniform(0.85, 1.15, 3) + rng.uniform(-30, 30)
    image = np.clip(image, 0, 255).astype(np.uint8)
    if rng.random() < 0.3:
        coded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(20, 90))])[1]
        image = np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR), np.uint8)
    return replace(sample, image_bgr=image)


def _flipped_boxes(boxes: Floats, width: int) -> Floats:
    return np.stack([width - boxes[:, 2], boxes[:, 1], width - boxes[:, 0], boxes[:, 3]], 1)
