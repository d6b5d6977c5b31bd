"""What a deep stage is asked: each person's window, and what is known of them so far in its pixels."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.arrays import Floats, Image
from models.camera import as_row, through_window
from models.crops import Window, cut
from models.looks import Looks
from models.records import Camera


def questions(image_bgr: Image, camera: Camera, told: Looks, windows: list[Window],
              size_hw: tuple[int, int]) -> dict[str, NDArray[Any]]:
    """A deep stage's inputs [P, ...] about the people `told`, each in their window of `size_hw` pixels."""
    seen = [through_window(camera, w.x_px, w.y_px, w.scale) for w in windows]

    def single(values: Floats) -> NDArray[np.float32]:
        return np.ascontiguousarray(values, np.float32)

    return {
        "crop_bgr": np.stack([cut(image_bgr, window, size_hw) for window in windows]),
        "intrinsics": np.stack([as_row(c) for c in seen]).astype(np.float32),
        "prior_px": single(np.stack([w.enter(px) for w, px in zip(windows, told.joints_px, strict=True)])),
        "prior_rel_mm": single(told.rel_mm), "prior_sigma_mm": single(told.sigma_mm),
        "prior_scores": single(told.joint_scores),
    }


def blank_questions(count: int, size_hw: tuple[int, int]) -> dict[str, NDArray[Any]]:
    """Inputs of the right shape that show nothing."""
    corner = np.array(size_hw[::-1], np.float32)
    joints = np.linspace(0.2, 0.8, 25, dtype=np.float32)[:, None] * corner  # [25, 2]
    return {"crop_bgr": np.zeros((count, *size_hw, 3), np.uint8),
            "intrinsics": np.tile(np.array([400, 400, *(corner / 2)], np.float32), (count, 1)),
            "prior_px": np.tile(joints, (count, 1, 1)),
            "prior_rel_mm": np.zeros((count, 25, 3), np.float32),
            "prior_sigma_mm": np.full((count, 25), 80, np.float32),
            "prior_scores": np.full((count, 25), 0.5, np.float32)}
