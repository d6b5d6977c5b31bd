"""What a system under evaluation says of a picture, whoever made it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from posecascade.models.arrays import Floats, Image
from posecascade.models.records import Camera, Person, Stage


@dataclass(frozen=True, slots=True, eq=False)
class Guess:
    """One person as a system reports them; a joint that its skeleton lacks is NaN."""

    joints_px: Floats
    """[25, 2] image space."""

    score: float
    """Ranks detections for average precision; any increasing scale."""

    joints_rel_mm: Floats | None = None
    """[25, 3] camera axes, any origin; None: the system knows no 3D."""

    sigma_mm: Floats | None = None
    """[25] one standard deviation of the 3D error, where the system states it."""

    root_mm: Floats | None = None
    """[3] mid-hip in camera space, where the system states it."""

    stage: Stage | None = None
    """The stage that answered, for a cascade."""

    @classmethod
    def of(cls, person: Person) -> "Guess":
        """A person of our own cascade."""
        pose = person.pose
        return cls(
            np.asarray(pose.joints_px, np.float64),
            person.score,
            np.asarray(pose.joints_rel_mm, np.float64),
            pose.sigma_mm,
            pose.root_mm,
            person.stage,
        )


class System(Protocol):
    """Something that finds people in a picture."""

    @property
    def name(self) -> str:
        """Unique among the systems of one run."""

    def people(self, image_bgr: Image, camera: Camera | None) -> Sequence[Guess]:
        """Everyone the system finds.

        Args:
            image_bgr: [H, W, 3]
            camera: true intrinsics; None: the system has to assume.
        """
