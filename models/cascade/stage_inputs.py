"""Inputs of the deep stages: a crop of each person and the prior estimate in its pixels."""

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from posecascade.models.arrays import Floats, Image
from posecascade.models.camera import as_row, through_window
from posecascade.models.crops import Window, cut
from posecascade.models.detections import Detections
from posecascade.models.records import Camera

Inputs: TypeAlias = dict[str, NDArray[Any]]


def crop_inputs(
    image_bgr: Image,
    camera: Camera,
    prior: Detections,
    windows: list[Window],
    size_hw: tuple[int, int],
) -> Inputs:
    """A deep stage's inputs [P, ...].

    Args:
        image_bgr: [H, W, 3] the frame.
        camera: of the frame.
        prior: [P] estimates of `coarse`.
        windows: P, one around each person.
        size_hw: of each crop, pixels.
    """
    crops = [cut(image_bgr, window, size_hw) for window in windows]
    cameras = [through_window(camera, w.x_px, w.y_px, w.scale) for w in windows]
    intrinsics = [as_row(crop_camera) for crop_camera in cameras]
    prior_px = [
        window.to_crop(joints_px)
        for window, joints_px in zip(windows, prior.joints_px, strict=True)
    ]
    return {
        "crop_bgr": np.stack(crops),
        "intrinsics": _single(np.stack(intrinsics)),
        "prior_px": _single(np.stack(prior_px)),
        "prior_rel_mm": _single(prior.rel_mm),
        "prior_sigma_mm": _single(prior.sigma_mm),
        "prior_scores": _single(prior.joint_scores),
    }


def dummy_inputs(count: int, size_hw: tuple[int, int]) -> Inputs:
    """Inputs of the right shapes that show nothing, to warm a stage up."""
    size_wh = np.array(size_hw[::-1], np.float32)
    diagonal = np.linspace(0.2, 0.8, 25, dtype=np.float32)
    joints_px = diagonal[:, None] * size_wh  # [25, 2]
    intrinsics = np.array([400, 400, *(size_wh / 2)], np.float32)
    return {
        "crop_bgr": np.zeros((count, *size_hw, 3), np.uint8),
        "intrinsics": np.tile(intrinsics, (count, 1)),
        "prior_px": np.tile(joints_px, (count, 1, 1)),
        "prior_rel_mm": np.zeros((count, 25, 3), np.float32),
        "prior_sigma_mm": np.full((count, 25), 80, np.float32),
        "prior_scores": np.full((count, 25), 0.5, np.float32),
    }


def _single(values: Floats) -> NDArray[np.float32]:
    return np.ascontiguousarray(values, np.float32)
