"""The one record that every data set becomes before training sees it."""

from dataclasses import dataclass

import numpy as np

from models.arrays import Floats, Image, Mask
from models.records import Camera
from models.skeleton import JOINTS


@dataclass(frozen=True, slots=True, eq=False)
class PoseSample:
    """A picture and its people in columns; what is not labelled is masked and holds zeros."""

    image_bgr: Image
    camera: Camera
    """True intrinsics where known, else the assumed field of view."""
    joints_px: Floats
    """[P, 25, 2] image space."""
    joints_mm: Floats
    """[P, 25, 3] camera space."""
    has_px: Mask
    """[P, 25] the joint has a place in the picture."""
    has_mm: Mask
    """[P, 25] the joint has a place in space."""
    visibility: np.ndarray
    """[P, 25] int8: 0 outside the frame, 1 hidden by something else, 2 by the person's own body, 3 visible, -1 unknown."""
    box_xyxy: Floats
    """[P, 4] round the whole person."""
    ignore_xyxy: Floats
    """[B, 4] regions with people nobody labelled."""
    other_people_unlabelled: bool
    """Further people are in view without label or box."""
    source: str
    licence: str

    def __post_init__(self) -> None:
        people = len(self.joints_px)
        want = {
            "joints_px": (people, JOINTS, 2), "joints_mm": (people, JOINTS, 3), "has_px": (people, JOINTS),
            "has_mm": (people, JOINTS), "visibility": (people, JOINTS), "box_xyxy": (people, 4),
            "ignore_xyxy": (len(self.ignore_xyxy), 4),
        }  # fmt: skip
        got = {name: getattr(self, name).shape for name in want}
        if got != want:
            raise ValueError(f"want shapes {want}, got {got}")
        for name in (*want, "image_bgr"):
            getattr(self, name).flags.writeable = False
