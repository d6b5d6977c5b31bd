"""Draws who is in the scenes and how they move, before anybody has a place."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from posecascade.models.arrays import Floats, Indices, Mask
from posecascade.models.lab.rendering.body import BodyModel
from posecascade.models.lab.rendering.dressing import dressed
from posecascade.models.lab.rendering.motions import Motions
from posecascade.models.lab.rendering.poses import (
    disturbance,
    laid_down,
    mirrored,
    seated,
)
from posecascade.models.lab.rendering.quaternions import multiply
from posecascade.models.lab.rendering.scene import People
from posecascade.models.lab.rendering.volumes import RADIUS_M, StickFigure
from posecascade.models.lab.rendering.wardrobe import Choices, Wardrobe

KINDS: Final = (0.85, 0.13, 0.02)
"""Shares of people who stand as recorded, sit, lie."""
_STAND, _SIT, _LIE = range(3)
_MIRROR_X: Final = np.array([-1, 1, 1], np.float32)
_SOLE: Final = 0.7
"""Share of a sphere's radius that reaches down to the floor."""


@dataclass(frozen=True, slots=True, eq=False)
class Crowd:
    """Everything people are drawn from, for one split."""

    body: BodyModel
    figure: StickFigure
    motions: Motions
    lifts_m: Floats
    """[N] above the floor, of all poses of `motions`."""
    wardrobe: Wardrobe
    choices: Choices
    shapes: Indices
    """Bodies of the split."""

    def draw(self, rng: np.random.Generator, frame: Indices, seconds: Floats) -> People:
        """People of the scenes `frame` [P], poses [P, T] at `seconds` [T] after a random moment of a random clip."""
        count = len(frame)
        moments = len(seconds)
        shape = rng.choice(self.shapes, count)
        clip = rng.choice(len(self.motions.clip), count, p=self.motions.weight)
        start = rng.random(count) * np.maximum(
            self.motions.seconds(clip) - seconds[-1], 0
        )
        quat, root_m, lift_m = self._moved(rng, clip, start, seconds)
        kind = rng.choice(3, count, p=KINDS)
        kind[(lift_m.max(1) > 0) | ((moments > 1) & (kind == _LIE))] = _STAND
        quat = _posed(rng, quat, kind)
        path = root_m - root_m[:, :1]
        path[..., 1] = 0
        path[kind != _STAND] = 0
        women = (self.body.sex[shape] > 0.5).astype(int)
        return People(
            frame=frame,
            identity=np.arange(count),
            shape=shape,
            clip=clip,
            clip_seconds=start,
            quat=quat,
            path_m=path,
            lift_m=lift_m * (kind == _STAND)[:, None],
            at_m=np.zeros((count, 3), np.float32),
            seated=kind == _SIT,
            looks=dressed(rng, women, shape, self.wardrobe, self.choices),
        )

    def _moved(
        self, rng: np.random.Generator, clip: Indices, start: Floats, seconds: Floats
    ) -> tuple[Floats, Floats, Floats]:
        """Poses [P, T, 23, 4], roots [P, T, 3] and lifts [P, T]; half of the people mirrored."""
        count = len(clip)
        moments = len(seconds)
        clips = np.repeat(clip, moments)
        times = (start[:, None] + seconds).ravel()
        moment = self.motions.at(clips, times)
        flip = np.repeat(rng.random(count) < 0.5, moments)
        root = np.where(flip[:, None], moment.root_m * _MIRROR_X, moment.root_m)
        lift = self.motions.values_at(self.lifts_m, clips, times)
        quat = mirrored(moment.quat, flip)
        return (
            quat.reshape(count, moments, *quat.shape[1:]),
            root.reshape(count, moments, 3),
            lift.reshape(count, moments),
        )

    def volumes_m(self, people: People) -> Floats:
        """[P, T, 22, 3] their collision spheres about the origin, facing as in the clip, standing on the floor."""
        count, moments = people.quat.shape[:2]
        scale = (self.body.height_m[people.shape] / self.figure.height_m)[
            :, None, None, None
        ]
        spheres = (
            self.figure(
                people.quat.reshape(count * moments, *people.quat.shape[2:])
            ).reshape(count, moments, len(RADIUS_M), 3)
            * scale
        )
        spheres = spheres + people.path_m[:, :, None]
        lowest = (spheres[..., 1] - RADIUS_M * _SOLE).min(-1)
        spheres[..., 1] += (people.lift_m - lowest)[..., None]
        return spheres.astype(np.float32)


def _posed(rng: np.random.Generator, quat: Floats, kind: Indices) -> Floats:
    """Poses [P, T, 23, 4] seated or laid down by kind, each person's joints a little off, always the same way."""
    quat = _seated(rng, quat, kind == _SIT)
    quat = multiply(quat, disturbance(len(quat), rng)[:, None])
    quat /= np.linalg.norm(quat, axis=-1, keepdims=True)
    quat[kind == _LIE] = laid_down(quat[kind == _LIE])
    return quat


def _seated(rng: np.random.Generator, quat: Floats, sits: Mask) -> Floats:
    """Who sits does so in the same way at all moments."""
    if sits.any():
        seed = int(rng.integers(1 << 31))
        for moment in range(quat.shape[1]):
            quat[sits, moment] = seated(quat[sits, moment], np.random.default_rng(seed))
    return quat
