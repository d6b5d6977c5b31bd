"""The one record that every data set becomes before training sees it."""

from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from posecascade.models.arrays import Floats, Image, Mask
from posecascade.models.records import Camera
from posecascade.models.skeleton import JOINTS


class Visibility(IntEnum):
    """What is known of the way from the camera to a joint."""

    UNKNOWN = -1
    OUTSIDE = 0
    """Of the frame."""
    HIDDEN = 1
    """By another person or thing."""
    SELF_HIDDEN = 2
    """By the person's own body."""
    VISIBLE = 3


@dataclass(frozen=True, slots=True, eq=False)
class PoseSample:
    """A picture and its people in columns; what is not labelled is masked and holds zeros."""

    image_bgr: Image
    camera: Camera
    """True intrinsics where known, else the assumed field of view; its `source` says which."""
    joints_px: Floats
    """[P, 25, 2] image space."""
    joints_mm: Floats
    """[P, 25, 3] camera space."""
    has_px: Mask
    """[P, 25] the joint has a place in the picture."""
    has_mm: Mask
    """[P, 25] the joint has a place in space."""
    visibility: NDArray[np.int8]
    """[P, 25] int8 of `Visibility`."""
    box_xyxy: Floats
    """[P, 4] round the whole person."""
    ignore_xyxy: Floats
    """[B, 4] regions with people nobody labelled."""
    other_people_unlabelled: bool
    """Further people are in view without label or box."""
    source: str
    """Data set."""
    licence: str
    """Of the picture and its labels, as far as known."""

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

    @property
    def people(self) -> int:
        return len(self.joints_px)

    def of_people(self, rows: Any) -> "PoseSample":
        """The sample with some of its people only: a mask, a slice or indices [K]."""
        columns = (
            "joints_px",
            "joints_mm",
            "has_px",
            "has_mm",
            "visibility",
            "box_xyxy",
        )
        return replace(self, **{name: getattr(self, name)[rows] for name in columns})
