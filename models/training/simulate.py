"""Endless training pairs without pictures: motion-capture bodies seen by random cameras, read as pictures are.

The errors are not invented: each body takes over the reading errors, scores and second opinions of one person who was
really read in a picture (`Habits`), so that scores mean for simulated people what they mean for real ones.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from models.crops import MARGIN, SMALLEST_PX
from models.networks.readout import Reading
from models.skeleton import COCO17, MIRROR
from models.training.losses import Target

_COCO = torch.tensor(COCO17.source)
_MIRROR = torch.from_numpy(MIRROR)


@dataclass(frozen=True, slots=True)
class Habits:
    """How a picture network reads: errors in sizes of the person, with the scores they came with, [B, ...]."""

    error: Tensor
    """[B, 17, 2]"""
    second_error: Tensor
    """[B, 17, 2] of the regressed joints."""
    scores: Tensor
    """[B, 17]"""
    center_score: Tensor
    """[B]"""
    inside: Tensor
    """[B, 25]"""
    extent_px: Tensor
    """[B] size of the people they were read of."""

    @staticmethod
    def of(table: dict[str, Tensor]) -> "Habits":
        """The habits that rows of a table of readings show; all of them must be of people."""
        true = table["true_px"].float()[:, _COCO]
        size = extent_px(table["true_px"].float())
        relative = size[:, None, None]
        return Habits(
            (table["joints_px"] - true) / relative,
            (table["regressed_px"] - true) / relative,
            table["scores"].float(),
            table["center_score"].float(),
            table["inside"].float(),
            size,
        )

    def and_steady(self, spread: Tensor, before: "Habits | None", generator: torch.Generator) -> "Habits":
        """With as many well-read people as `spread` [B] is long: Gaussian errors of that spread, in sizes
        of the person.

        Rendered people are harder to read than most real ones, so their habits alone teach too much doubt. Scores are
        those of the better-read half. `before` are the same people's habits at an earlier stage, of whose error 0.4
        stays.
        """
        count = len(spread)
        rank = self.scores.mean(1).argsort(descending=True)[: max(1, len(self.scores) // 2)]
        like = rank[torch.randint(len(rank), (count,), generator=generator)]
        error = spread[:, None, None] * torch.randn(count, 17, 2, generator=generator)
        gross = torch.rand(count, 17, 1, generator=generator) < 0.02
        error = torch.where(gross, 6 * error, error)
        if before is not None:
            error = 0.4 * before.error[-count:] + 0.5 * error
        second = error + 0.04 * torch.randn(count, 17, 2, generator=generator)
        size = torch.exp(torch.empty(count).uniform_(math.log(30), math.log(350), generator=generator))
        size = size if before is None else before.extent_px[-count:]
        steady = Habits(error, second, self.scores[like], self.center_score[like], torch.ones(count, 25), size)
        return Habits(*(torch.cat([getattr(h, f) for h in (self, steady)]) for f in Habits.__dataclass_fields__))

    def read(self, scene: "Scene", who: Tensor) -> Reading:
        """The scene's people as read with the habits of `who` [M]."""
        true = scene.target.px[:, _COCO]
        size = extent_px(scene.target.px)[:, None, None]
        return Reading(
            true + self.error[who] * size,
            self.scores[who],
            true + self.second_error[who] * size,
            self.center_score[who],
            torch.zeros(len(who), 25),
        )


def extent_px(px: Tensor) -> Tensor:
    """[M] root of the area of the box round joints [M, 25, 2]."""
    return ((px.amax(1) - px.amin(1)) + 1.0).prod(-1).sqrt()


@dataclass(frozen=True, slots=True)
class Scene:
    """M bodies before a camera each."""

    intrinsics: Tensor
    """[M, 4]"""
    target: Target

    def of(self, rows: Tensor) -> "Scene":
        """These people."""
        return Scene(self.intrinsics[rows], Target(*(column[rows] for column in self.target)))


class Cameras:
    """Draws scenes from bodies in their own upright frame (y down, pelvis at the origin)."""

    def __init__(self, bodies_mm: Tensor, generator: torch.Generator):
        self.bodies_mm, self.generator = bodies_mm, generator

    def draw(self, habits: Habits, who: Tensor) -> Scene:
        """Bodies as large in the picture as the people whose habits they take, turned and placed at random."""
        count = len(who)
        pick = torch.randint(len(self.bodies_mm), (count,), generator=self.generator)
        body = self._mirrored(self.bodies_mm[pick])
        rotation = self._rotation(count)
        rel = body @ rotation.mT
        focal = 224 / torch.tan(self._uniform(count, 30, 100) * math.pi / 360)
        size = habits.extent_px[who].clamp(12, 400)
        # Depth for which the body comes out at that size, not nearer than where it would touch the camera.
        spread = ((rel[..., :2].amax(1) - rel[..., :2].amin(1)).clamp_min(200)).prod(-1).sqrt()
        depth = torch.maximum(focal * spread / size, 350 - rel[..., 2].amin(1))
        place = torch.stack([self._uniform(count, -0.9, 0.9) * 224, self._uniform(count, -0.9, 0.9) * 160], 1)
        root = torch.cat([place / focal[:, None] * depth[:, None], depth[:, None]], 1)
        space = rel + root[:, None]
        px = space[..., :2] / space[..., 2:] * focal[:, None, None] + 224
        intrinsics = torch.stack([focal, focal, torch.full_like(focal, 224), torch.full_like(focal, 224)], 1)
        ones = torch.ones(count, 25)
        return Scene(
            intrinsics,
            Target(px, rel, root, ones, ones, habits.inside[who], extent_px(px) * 1.15, torch.ones(count)),
        )

    def _mirrored(self, body: Tensor) -> Tensor:
        flip = torch.rand(len(body), generator=self.generator) < 0.5
        other = body[:, _MIRROR] * torch.tensor([-1.0, 1.0, 1.0])
        return torch.where(flip[:, None, None], other, body)

    def _rotation(self, count: int) -> Tensor:
        """[M, 3, 3] any yaw, pitch as cameras have it, a little roll."""
        yaw = self._uniform(count, -math.pi, math.pi)
        pitch = torch.where(
            torch.rand(count, generator=self.generator) < 0.6,
            self._uniform(count, -0.25, 0.35),
            self._uniform(count, -0.6, 1.2),
        )
        roll = torch.randn(count, generator=self.generator) * 0.08
        return _about(2, roll) @ _about(0, pitch) @ _about(1, yaw)

    def _uniform(self, count: int, low: float, high: float) -> Tensor:
        return low + (high - low) * torch.rand(count, generator=self.generator)


def _about(axis: int, angle: Tensor) -> Tensor:
    """[M, 3, 3] rotations about a coordinate axis."""
    c, s = angle.cos(), angle.sin()
    one, none = torch.ones_like(c), torch.zeros_like(c)
    rows = {
        0: (one, none, none, none, c, -s, none, s, c),
        1: (c, none, s, none, one, none, -s, none, c),
        2: (c, -s, none, s, c, none, none, none, one),
    }[axis]
    return torch.stack(rows, 1).view(-1, 3, 3)


def through(joints_px: Tensor, scene: Scene, size_hw: tuple[int, int]) -> Scene:
    """The same people in the window that an earlier answer, joints [M, 25, 2], asks for, of `size_hw` pixels.

    The window's box is that of the joints as in `crops.person_window`, without a frame to stop at.
    """
    low, high = joints_px.amin(1), joints_px.amax(1)
    size = torch.tensor(size_hw[::-1], dtype=low.dtype)
    scale = torch.minimum((size / (high - low).clamp_min(1e-6)).amin(1) / MARGIN, size.amax() / SMALLEST_PX)
    corner = (low + high) / 2 - size / scale[:, None] / 2
    focal = scene.intrinsics[:, :2] * scale[:, None]
    centre = (scene.intrinsics[:, 2:] - corner) * scale[:, None]

    def enter(px: Tensor) -> Tensor:
        return (px - corner[:, None]) * scale[:, None, None]

    target = scene.target._replace(px=enter(scene.target.px), size_px=scene.target.size_px * scale)
    return Scene(torch.cat([focal, centre], 1), target)


def seeded(seed: int, *more: int) -> torch.Generator:
    """A generator that depends on all of the numbers."""
    return torch.Generator().manual_seed(int(np.random.SeedSequence((seed, *more)).generate_state(1)[0]))
