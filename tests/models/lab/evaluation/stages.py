"""The real cascade over scripted stages that know the truth: each look halves the error of the one before.

A frame's pictures are of one colour, its number; that is how a stage knows which people are there. People are found in
every frame in which they are, with errors that differ from person to person.
"""

import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from posecascade.models.arrays import Floats
from posecascade.models.calibration import Calibration
from posecascade.models.cascade.cascade import Cascade
from posecascade.models.policies import GainPolicy
from posecascade.models.policies.linear import Linear
from posecascade.models.policies.serialized import CORNERS
from posecascade.models.policies.table import FEATURES
from posecascade.models.records import Stage
from posecascade.models.runners import Arrays
from posecascade.models.skeleton import JOINT_NAMES, JOINTS
from tests.doubles import fake_manifest
from tests.models.lab.evaluation.crowd import FOCAL_PX, SIZE_WH_PX, body_mm, in_pixels

SLOTS = 8
LEFT_OVER = {Stage.COARSE: 1.0, Stage.REFINE: 0.5, Stage.EXPERT: 0.25}
"""Share of the coarse error that a stage leaves."""


@dataclass(frozen=True)
class Scene:
    """Bodies [P, 25, 3] in camera space and the coarse stage's error [P, 25, 3], frame by frame."""

    bodies_mm: list[Floats]
    off_mm: list[Floats]


def scene(folder: Path, people: list[int], seed: int = 3) -> Scene:
    """Writes a labelled folder with so many people in each frame, every joint known."""
    rng = np.random.default_rng(seed)
    bodies = [
        np.array([body_mm(rng) for _ in range(count)]).reshape(-1, JOINTS, 3)
        for count in people
    ]
    off = [
        rng.normal(0, rng.uniform(10, 90, (len(frame), 1, 1)), frame.shape)
        for frame in bodies
    ]
    images = []
    folder.mkdir(parents=True, exist_ok=True)
    for number, frame in enumerate(bodies):
        cv2.imwrite(
            str(folder / f"{number}.png"),
            np.full((*SIZE_WH_PX[::-1], 3), number, np.uint8),
        )
        images.append(
            {
                "file": f"{number}.png",
                "width": SIZE_WH_PX[0],
                "height": SIZE_WH_PX[1],
                "K": [[FOCAL_PX, 0, 320], [0, FOCAL_PX, 240], [0, 0, 1]],
                "people": [_label(b) for b in frame],
            }
        )
    (folder / "labels.json").write_text(json.dumps({"images": images}))
    return Scene(bodies, off)


def _label(body: Floats) -> dict[str, Any]:
    joints_px = in_pixels(body)
    return {
        "joints2d": {name: [*joints_px[i], 2] for i, name in enumerate(JOINT_NAMES)},
        "joints3d": {name: list(body[i]) for i, name in enumerate(JOINT_NAMES)},
        "box": [*joints_px.min(0), *joints_px.max(0)],
    }


@dataclass
class Scripted:
    """One stage, as a `Runner`."""

    stage: Stage
    scene: Scene
    provider: str = "scripted"
    items: list[int] = field(default_factory=list)
    """Of each batch."""

    def run(self, batch: Arrays) -> dict[str, NDArray[Any]]:
        self.items.append(len(next(iter(batch.values()))))
        if self.stage is Stage.COARSE:
            return self._everybody(
                int(batch["image_bgr"][0, 0, 0, 0]),
                float(batch["intrinsics"][0, 0]) / FOCAL_PX,
            )
        return self._again(batch)

    def close(self) -> None:
        pass

    def _everybody(self, frame: int, scale: float) -> dict[str, NDArray[Any]]:
        """[1, SLOTS, ...] best first; slots that are left have no score."""
        bodies = self.scene.bodies_mm[frame]
        off = self.scene.off_mm[frame]
        count = len(bodies)
        out = _blank(SLOTS)
        predicted = bodies + off
        out["joints_rel_mm"][:count] = predicted - predicted[:, :1]
        out["joints_px"][:count] = (
            np.array([in_pixels(body) for body in bodies]).reshape(-1, JOINTS, 2)
            * scale
        )
        out["sigma_mm"][:count] = _sigma(off)
        out["root_depth_mm"][:count] = bodies[:, 0, 2]
        out["score"][:count] = np.linspace(0.9, 0.6, count)
        return {name: values[None] for name, values in out.items()}

    def _again(self, batch: Arrays) -> dict[str, NDArray[Any]]:
        """[P, ...] for the people whose relative pose is nearest to the prior."""
        out = _blank(len(batch["prior_px"]))
        everybody = np.concatenate(self.scene.bodies_mm)
        off = np.concatenate(self.scene.off_mm)
        relative = everybody - everybody[:, :1]
        for item, prior in enumerate(batch["prior_rel_mm"]):
            owner = np.abs(relative - prior).mean((1, 2)).argmin()
            predicted = everybody[owner] + LEFT_OVER[self.stage] * off[owner]
            out["joints_rel_mm"][item] = predicted - predicted[:1]
            out["sigma_mm"][item] = LEFT_OVER[self.stage] * _sigma(off[owner])
            out["root_depth_mm"][item] = everybody[owner, 0, 2]
            out["score"][item] = 0.5 + 0.4 / (1 + owner % 7)
        out["joints_px"][:] = batch["prior_px"]
        return out


@dataclass
class Misled:
    """A deep stage that takes the first person of a batch for the second one too."""

    stage: Scripted
    provider: str = "misled"

    def run(self, batch: Arrays) -> dict[str, NDArray[Any]]:
        out = self.stage.run(batch)
        if len(batch["prior_px"]) > 1:
            focal = batch["intrinsics"][:, None, :2]
            center = batch["intrinsics"][:, None, 2:]
            out["joints_px"][1] = (batch["prior_px"][0] - center[0]) / focal[0] * focal[
                1
            ] + center[1]
        return out

    def close(self) -> None:
        pass


def misled(cascade: Cascade, stage: Stage) -> Cascade:
    """The cascade, one of its deep stages misled."""
    return Cascade(
        cascade.manifest, {**cascade.runners, stage: Misled(cascade.runners[stage])}
    )


def _blank(count: int) -> dict[str, NDArray[Any]]:
    wide = {
        "joints_px": (JOINTS, 2),
        "joint_scores": (JOINTS,),
        "joints_rel_mm": (JOINTS, 3),
        "sigma_mm": (JOINTS,),
    }
    out = {name: np.zeros((count, *shape), np.float32) for name, shape in wide.items()}
    out |= {name: np.zeros(count, np.float32) for name in ("score", "disagreement")}
    out |= {
        name: np.full(count, value, np.float32)
        for name, value in (("root_depth_mm", 3000.0), ("root_depth_sigma_mm", 100.0))
    }
    out["sigma_mm"] += 50
    out["joint_scores"] += 0.9
    return out


def _sigma(off_mm: Floats) -> Floats:
    """[..., 25] the same for all joints of a body: the root mean square of its distances."""
    return np.sqrt((off_mm**2).sum(-1).mean(-1, keepdims=True)) * np.ones(JOINTS)


def cascade_of(told: Scene, *, price: float = 1.0) -> Cascade:
    """Routes by expected error: refine removes half, expert three quarters, at 10 and 30 ms a person."""
    on_error = [float(name == "log_expected_error") for name in FEATURES]
    gains = {
        (Stage.COARSE, (Stage.REFINE,)): Linear(tuple(20 * w for w in on_error), -60.0),
        (Stage.COARSE, (Stage.EXPERT,)): Linear(
            tuple(60 * w for w in on_error), -220.0
        ),
        (Stage.REFINE, (Stage.EXPERT,)): Linear(
            tuple(60 * w for w in on_error), -200.0
        ),
    }
    policies = {policy.name: policy for policy in (GainPolicy(gains), *CORNERS)}
    calibration = Calibration(
        dict.fromkeys(Stage, (1.0,) * JOINTS),
        dict.fromkeys(Stage, (1.0, 0.0)),
        policies,
        balanced_price=price,
        balanced_budget_ms=1e9,
        operating_points=(),
        guarantee=None,
        fitted_on="a scene",
    )
    manifest = fake_manifest()
    costs = {Stage.COARSE: 30.0, Stage.REFINE: 10.0, Stage.EXPERT: 30.0}
    stages = {
        stage: replace(spec, cost_ms=costs[stage])
        for stage, spec in manifest.stages.items()
    }
    return Cascade(
        replace(manifest, calibration=calibration, stages=stages),
        {stage: Scripted(stage, told) for stage in Stage},
    )
