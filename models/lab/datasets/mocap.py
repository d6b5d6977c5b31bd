"""Poses without pictures: random bodies moved by motion capture, endless 3D for the networks that lift 2D to 3D."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import torch

from posecascade.models.arrays import Floats
from posecascade.models.lab.rendering.assets import Split, find_assets
from posecascade.models.lab.rendering.body import BodyModel
from posecascade.models.lab.rendering.motions import Motions
from posecascade.models.lab.rendering.poses import (
    disturbance,
    laid_down,
    mirrored,
    seated,
    turned,
)
from posecascade.models.lab.rendering.quaternions import (
    CONJUGATE,
    about_vector,
    multiply,
    rotate,
)
from posecascade.models.lab.rendering.rig import MOCAP, SIDES

_KINDS: Final = (0.85, 0.13, 0.02)
"""Shares of people who stand as recorded, sit, lie; those of the rendered scenes."""

_CHUNK: Final = 4096
"""Poses at a time: the transforms of 104 bones of so many people fit in the cache's reach."""

_BODY_TO_GRAVITY: Final = np.array([1000, -1000, -1000], np.float32)
"""Metres, y up -> millimetres, y down: half a turn about x."""

_CHILDREN: Final = 0.06
"""Share of bodies drawn towards, and past, the youngest of the shape space."""

_LIMB_EXCHANGE: Final = 0.1
"""Chance of each limb to come from another pose (the crossover of Li et al., 2006.07778)."""

_SWING_RAD: Final = (0.02, 0.25)
"""Range, log-uniform over people, of the standard deviation by which shoulders, hips, elbows and knees are off."""

_HINGE_RAD: Final = (-0.05, 2.7)
"""How far elbows and knees bend; the recordings stay within 0 and 2.8."""


class Limb(NamedTuple):
    """An arm or a leg: what it hangs on, its joints from the trunk outwards, and its hinge at the second of them."""

    anchor: int
    joints: list[int]
    along: Floats
    """[3] where the near bone points in the T-pose."""
    bends_to: Floats
    """[3] where the far bone goes when the hinge bends; measured in the recordings, where both are pure hinges."""


def random_bodies(
    assets: Path, split: str, count: int, rng: np.random.Generator
) -> Floats:
    """Random people in random poses, float32 [count, 25, 3].

    Gravity frame: millimetres, y down, origin at the pelvis, x to the left of a person who heads towards -z; headings
    are uniform about the vertical, so that only a camera has to be put in front. Bodies and clips are those of the
    split. Equal generators give equal people.

    Args:
        assets: folder of `people.npz` and `mocap_{train,dev}.npz`.
        split: "train" or "dev".
    """
    source = MocapBodies(assets, Split(split))
    return np.concatenate(
        [
            source.draw(min(_CHUNK, count - first), rng)
            for first in range(0, count, _CHUNK)
        ]
        or [np.zeros((0, 25, 3), np.float32)]
    )


class MocapBodies:
    """Owns the body model and the clips of one split; `draw` as often as needed."""

    def __init__(self, assets: Path | None, split: Split) -> None:
        folder = find_assets(assets)
        self._body = BodyModel(folder / "people.npz")
        self._motions = Motions.load(folder / f"mocap_{split}.npz")
        bodies = np.arange(len(self._body.coefficients))
        self._shapes = bodies[(bodies % 8 == 7) == (split is Split.DEV)]
        youngest = np.argsort(self._body.age[self._shapes])[
            : max(4, len(self._shapes) // 10)
        ]
        self._children = self._shapes[youngest]

    def draw(self, count: int, rng: np.random.Generator) -> Floats:
        """[count, 25, 3] as `random_bodies`."""
        pose = torch.from_numpy(self._poses(count, rng))
        shape, scale = self._bodies(count, rng)
        with torch.no_grad():
            joints = self._body.pose(torch.from_numpy(shape), pose).joints_m.numpy()
        return np.asarray(
            (joints - joints[:, :1]) * scale[:, None, None] * _BODY_TO_GRAVITY,
            np.float32,
        )

    def _bodies(self, count: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
        """Shape coefficients [count, 20] between and a little beyond pairs of bodies, and sizes [count]."""
        known = self._body.coefficients.numpy()
        share = rng.uniform(-0.3, 1.3, (count, 1)).astype(np.float32)
        a = known[rng.choice(self._shapes, count)]
        b = known[rng.choice(self._shapes, count)]
        shape = a * (1 - share) + b * share
        scale = np.exp(rng.normal(0, 0.03, count))
        young = rng.random(count) < _CHILDREN
        towards = known[rng.choice(self._children, young.sum())]
        shape[young] = towards + 0.15 * (towards - shape[young])
        scale[young] *= rng.uniform(0.65, 1.0, young.sum())
        return shape, scale.astype(np.float32)

    def _poses(self, count: int, rng: np.random.Generator) -> Floats:
        """[count, 23, 4] from moments of clips: limbs exchanged, disturbed, mirrored, some seated or lying."""
        pose = self._moments(count, rng)
        pose = _limbs_exchanged(pose, self._moments(count, rng), rng)
        kind = rng.choice(3, count, p=_KINDS)
        pose[kind == 1] = seated(pose[kind == 1], rng)
        pose = _limbs_swung(pose, rng)
        pose[kind == 2] = laid_down(pose[kind == 2])
        pose = multiply(
            mirrored(pose, rng.random(count) < 0.5), disturbance(count, rng)
        )
        return turned(pose, rng.uniform(-np.pi, np.pi, count))

    def _moments(self, count: int, rng: np.random.Generator) -> Floats:
        clip = rng.choice(len(self._motions.clip), count, p=self._motions.weight)
        return self._motions.at(
            clip, rng.random(count) * self._motions.seconds(clip)
        ).quat


def _limbs() -> Iterator[Limb]:
    arm = ("Arm", "ForeArm", "Hand")
    leg = ("UpLeg", "Leg", "Foot", "ToeBase")
    for side in SIDES:
        yield Limb(
            MOCAP["Spine1"],
            [MOCAP[side.mocap + part] for part in arm],
            np.array([side.sign, 0, 0], np.float32),
            np.array([0, 0.61, 0.79], np.float32),
        )
        yield Limb(
            MOCAP["Hips"],
            [MOCAP[side.mocap + part] for part in leg],
            np.array([0, -1, 0], np.float32),
            np.array([0, 0, -1], np.float32),
        )


def _limbs_exchanged(pose: Floats, other: Floats, rng: np.random.Generator) -> Floats:
    """Some limbs replaced by those of `other`, as they were relative to the trunk: limits hold, they were recorded."""
    out = pose.copy()
    for limb in _limbs():
        which = np.flatnonzero(rng.random(len(pose)) < _LIMB_EXCHANGE)
        carry = multiply(
            pose[which, limb.anchor], other[which, limb.anchor] * CONJUGATE
        )
        out[which[:, None], limb.joints] = multiply(
            carry[:, None], other[which[:, None], limb.joints]
        )
    return out


def _limbs_swung(pose: Floats, rng: np.random.Generator) -> Floats:
    """Each limb turned at its root, and bent at its hinge within the limits; what hangs on a joint is carried along."""
    low, high = np.log(_SWING_RAD)
    out = pose.copy()
    spread = np.exp(rng.uniform(low, high, (len(pose), 1)))
    for limb in _limbs():
        swing = about_vector(rng.normal(0, 1, (len(pose), 3)) * spread)
        out[:, limb.joints] = multiply(swing[:, None], out[:, limb.joints])
        bend = _hinge_rad(out, limb)
        wanted = np.clip(bend + rng.normal(0, 1, len(pose)) * spread[:, 0], *_HINGE_RAD)
        axis = rotate(out[:, limb.joints[0]], np.cross(limb.along, limb.bends_to)[None])
        flex = about_vector(axis * (wanted - bend)[:, None])
        out[:, limb.joints[1:]] = multiply(flex[:, None], out[:, limb.joints[1:]])
    return out


def _hinge_rad(pose: Floats, limb: Limb) -> Floats:
    """[N] by how much an elbow or knee is bent; negative where it folds back."""
    relative = multiply(pose[:, limb.joints[0]] * CONJUGATE, pose[:, limb.joints[1]])
    far = rotate(relative, limb.along[None])
    return np.arctan2(far @ limb.bends_to, far @ limb.along)
