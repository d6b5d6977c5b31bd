"""The records that travel between modules: frozen, NumPy, units in the names.

Spaces. *Image*: pixels of the frame as it was sent (EXIF applied); the centre of the top-left pixel is (0.5, 0.5).
*Camera*: millimetres, X right, Y down, Z forward. *Relative*: camera axes, origin at the pelvis.
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from posecascade.models.arrays import Floats
from posecascade.models.skeleton import JOINTS


class Stage(StrEnum):
    """The stages of the cascade, shallow to deep."""

    COARSE = "coarse"
    REFINE = "refine"
    EXPERT = "expert"


class Stop(StrEnum):
    """Why a person was not sent any deeper."""

    CONFIDENT = "confident"
    GAIN_BELOW_PRICE = "gain_below_price"
    """In a stream also an unmatched detection, which is refined once it is found again."""
    BUDGET = "budget"
    DEADLINE = "deadline"
    LOAD = "load"
    DEEPEST = "deepest"
    """No stage is left; also where a deeper one returned another person and its answer was dropped."""
    REUSED = "reused"
    STAGE_FAILED = "stage_failed"


class CameraSource(StrEnum):
    """Where the intrinsics came from."""

    REQUEST = "request"
    EXIF = "exif"
    ASSUMED = "assumed"


@dataclass(frozen=True, slots=True)
class Camera:
    """Pinhole intrinsics of a frame: focal lengths and principal point, in image pixels."""

    fx: float
    fy: float
    cx: float
    cy: float
    source: CameraSource = CameraSource.REQUEST

    def __post_init__(self) -> None:
        if not (
            np.isfinite([self.fx, self.fy, self.cx, self.cy]).all()
            and self.fx > 0
            and self.fy > 0
        ):
            raise ValueError(f"want finite intrinsics with fx, fy > 0, got {self}")


@dataclass(frozen=True, slots=True, eq=False)
class Pose:
    """One person's pose as one stage estimated it."""

    joints_px: Floats
    """[25, 2] image space; may lie outside the frame."""

    joint_scores: Floats
    """[25] probability that the joint is inside the frame and `joints_px` within 0.1 of the body's size of its
    true place (size: square root of the person's box area)."""

    joints_rel_mm: Floats
    """[25, 3] relative space."""

    sigma_mm: Floats
    """[25] one standard deviation of the 3D distance between `joints_rel_mm` and the truth: calibrated so that two in
    three errors (67.2 %, as of a Laplace radius) lie within it."""

    root_mm: Floats
    """[3] the pelvis in camera space."""

    root_sigma_mm: float
    """One standard deviation of the distance between `root_mm` and the truth."""

    def __post_init__(self) -> None:
        want = {
            "joints_px": (JOINTS, 2),
            "joint_scores": (JOINTS,),
            "joints_rel_mm": (JOINTS, 3),
            "sigma_mm": (JOINTS,),
            "root_mm": (3,),
        }
        got = {name: getattr(self, name).shape for name in want}
        if got != want:
            raise ValueError(f"want shapes {want}, got {got}")
        for name in want:
            getattr(self, name).flags.writeable = False

    @property
    def joints_mm(self) -> Floats:
        """[25, 3] camera space."""
        return self.joints_rel_mm + self.root_mm

    @property
    def expected_error_mm(self) -> float:
        """Mean over the joints of the expected 3D error relative to the root.

        For a 3D error of standard deviation sigma with a Laplace radial profile the mean distance is 0.87 sigma
        (E r = 3b, E r^2 = 12 b^2 for the density proportional to exp(-r / b)).
        """
        return float(np.sqrt(0.75) * self.sigma_mm.mean())


@dataclass(frozen=True, slots=True, eq=False)
class Person:
    """One person in one frame, as the last stage that saw them left them."""

    pose: Pose
    score: float
    """Probability that this is a person and that the pose lies on them."""

    box_xywh_px: Floats
    """[4] left, top, width, height in image space."""

    stage: Stage
    """The stage that answered."""

    stop: Stop
    depth_ms: float = 0.0
    """Time spent on this person beyond `coarse`: their share of the deep stages' batches."""

    degraded: bool = False
    """A deeper stage was due and did not run (deadline, load, a failed stage)."""

    id: int | None = None
    """Stable within a stream; None for a single picture."""

    reused_frames: int = 0
    velocity_mm_s: Floats | None = None
    """[3] of the root in camera space; None for a single picture."""


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """The answer for one picture."""

    width: int
    height: int
    camera: Camera
    people: tuple[Person, ...]
    """Highest score first."""

    timing_ms: dict[str, float]
    """Where the time went: `coarse`, `route`, `refine`, `expert`, `other`; the caller adds its own parts."""
