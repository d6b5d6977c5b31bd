"""A wide frame of people near and far, and a coarse stage that knows them but sees only those who are large enough."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from posecascade.models.arrays import Image
from posecascade.models.calibration import Calibration
from posecascade.models.camera import assumed
from posecascade.models.cascade.cascade import Cascade
from posecascade.models.errors import StageDown
from posecascade.models.keypoints import box_heights
from posecascade.models.policies.serialized import CORNERS
from posecascade.models.records import Stage
from posecascade.models.runners import Arrays, Runner
from posecascade.models.skeleton import JOINTS
from tests.doubles import FakeRunner, fake_manifest
from tests.standing import standing

WIDE_WH_PX: Final = (1920, 1080)
CAMERA: Final = assumed(*WIDE_WH_PX)
WHOLE_SCALE: Final = 0.34
"""Just above the scale of the whole frame in the input of `fake_manifest`."""
SEEN_FROM_PX: Final = 60.0
"""Height in the input from which on the stage is sure of a person."""
FAINT_FROM_PX: Final = 40.0
"""And from which on it has a faint slot for them."""
NEAR: Final = (0.0, 9000.0)
FAINT: Final = (6000.0, 20000.0)
"""51 pixels in the whole frame's input."""
UNSEEN: Final = (8000.0, 28000.0)
"""37 pixels there, and at the same side."""
Place = tuple[float, float]
"""x and z in mm."""


@dataclass
class ShortSighted:
    """`coarse` as a `Runner`: people stand at `places`, whatever the picture shows."""

    places: Sequence[Place]
    provider: str = "short-sighted"
    items: list[int] = field(default_factory=list)
    """Of each batch."""
    slots: int = 8
    spoil: float | None = None
    """A score for all people of the tiles."""
    fails_on_tiles: bool = False

    def run(self, batch: Arrays) -> dict[str, NDArray[Any]]:
        self.items.append(len(batch["image_bgr"]))
        closer = batch["intrinsics"][0, 0] > WHOLE_SCALE * CAMERA.fx
        if closer and self.fails_on_tiles:
            raise StageDown("no more")
        output = [
            self._people(image.shape, row)
            for image, row in zip(batch["image_bgr"], batch["intrinsics"], strict=True)
        ]
        if closer and self.spoil is not None:
            for slots in output:
                slots["score"][:] = self.spoil
        return {name: np.stack([slots[name] for slots in output]) for name in output[0]}

    def close(self) -> None:
        pass

    def _people(
        self, shape: tuple[int, ...], intrinsics: NDArray[np.float32]
    ) -> dict[str, NDArray[Any]]:
        focal = intrinsics[:2].astype(float)
        centre = intrinsics[2:].astype(float)
        out = _nobody(self.slots)
        poses = [standing((x, 0, z), camera=CAMERA).pose for x, z in self.places]
        row = 0
        for pose in poses:
            px = (pose.joints_px - [CAMERA.cx, CAMERA.cy]) / [
                CAMERA.fx,
                CAMERA.fy,
            ] * focal + centre
            tall = box_heights(px[None])[0]
            if (
                tall < FAINT_FROM_PX
                or (px.mean(0) < 0).any()
                or (px.mean(0) >= shape[1::-1]).any()
            ):
                continue
            out["joints_px"][row], out["joints_rel_mm"][row] = px, pose.joints_rel_mm
            out["root_depth_mm"][row] = pose.root_mm[2]
            out["score"][row] = (
                min(0.95, 0.5 + tall / 1000) if tall >= SEEN_FROM_PX else 0.1
            )
            row += 1
        return out


def _nobody(slots: int) -> dict[str, NDArray[Any]]:
    out: dict[str, NDArray[Any]] = {
        name: np.full((slots, *shape), value, np.float32)
        for name, shape, value in (
            ("score", (), 0.0),
            ("disagreement", (), 0.0),
            ("joints_px", (JOINTS, 2), 0.0),
            ("joint_scores", (JOINTS,), 0.9),
            ("joints_rel_mm", (JOINTS, 3), 0.0),
            ("sigma_mm", (JOINTS,), 40.0),
            ("root_depth_mm", (), 3000.0),
            ("root_depth_sigma_mm", (), 100.0),
        )
    }
    return out


def wide_cascade(coarse: ShortSighted) -> Cascade:
    """Only its first stage can see; a tile costs 30 ms."""
    calibration = Calibration(
        dict.fromkeys(Stage, (1.0,) * JOINTS),
        dict.fromkeys(Stage, (1.0, 0.0)),
        {policy.name: policy for policy in CORNERS},
        balanced_price=1.0,
        balanced_budget_ms=20.0,
        operating_points=(),
        guarantee=None,
        fitted_on="nothing",
    )
    manifest = fake_manifest()
    stages = {
        stage: replace(spec, cost_ms=30.0) for stage, spec in manifest.stages.items()
    }
    runners: dict[Stage, Runner] = {
        Stage.COARSE: coarse,
        Stage.REFINE: FakeRunner(),
        Stage.EXPERT: FakeRunner(),
    }
    return Cascade(replace(manifest, calibration=calibration, stages=stages), runners)


def picture() -> Image:
    return np.zeros((WIDE_WH_PX[1], WIDE_WH_PX[0], 3), np.uint8)
