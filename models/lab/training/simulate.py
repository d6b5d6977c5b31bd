"""Training pairs without pictures: motion-capture bodies before random cameras, with the errors of real readings.

Each body takes over the 2D errors, scores and regressed joints of one person who was read in a picture (`Habits`). So
a score means the same for simulated people as for real ones.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from posecascade.models.crops import MARGIN, SMALLEST_PX
from posecascade.models.lab.networks.readout import Reading
from posecascade.models.lab.training.losses import Target
from posecascade.models.skeleton import COCO17, MIRROR

_COCO = torch.tensor(COCO17.source)
_MIRROR = torch.from_numpy(MIRROR)


@dataclass(frozen=True, slots=True)
class Habits:
    """Errors of a picture network in sizes of the person, with the scores that came with them, [B, ...]."""

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
            error=(table["joints_px"] - true) / relative,
            second_error=(table["regressed_px"] - true) / relative,
            scores=table["scores"].float(),
            center_score=table["center_score"].float(),
            inside=table["inside"].float(),
            extent_px=size,
        )

    def and_steady(
        self, spread: Tensor, before: "Habits | None", generator: torch.Generator
    ) -> "Habits":
        """With as many well-read people as `spread` [B] is long: Gaussian errors of that spread, in sizes
        of the person.

        Rendered people are harder to read than most real ones, so their habits alone teach too much doubt. Scores are
        those of the better-read half. `before` are the same people's habits at an earlier stage, of whose error 0.4
        stays.
        """
        count = len(spread)
        better_half = max(1, len(self.scores) // 2)
        rank = self.scores.mean(1).argsort(descending=True)[:better_half]
        source = rank[torch.randint(len(rank), (count,), generator=generator)]
        error = spread[:, None, None] * torch.randn(count, 17, 2, generator=generator)
        gross = torch.rand(count, 17, 1, generator=generator) < 0.02
        error = torch.where(gross, 6 * error, error)
        if before is not None:
            error = 0.4 * before.error[-count:] + 0.5 * error
        second = error + 0.04 * torch.randn(count, 17, 2, generator=generator)
        log_size = torch.empty(count).uniform_(
            math.log(30), math.log(350), generator=generator
        )
        size = torch.exp(log_size) if before is None else before.extent_px[-count:]
        return Habits(
            error=torch.cat([self.error, error]),
            second_error=torch.cat([self.second_error, second]),
            scores=torch.cat([self.scores, self.scores[source]]),
            center_score=torch.cat([self.center_score, self.center_score[source]]),
            inside=torch.cat([self.inside, torch.ones(count, 25)]),
            extent_px=torch.cat([self.extent_px, size]),
        )

    def read(self, scene: "Scene", person_index: Tensor) -> Reading:
        """The scene's people, each with the habits of the person in `person_index` [M]."""
        true = scene.target.px[:, _COCO]
        size = extent_px(scene.target.px)[:, None, None]
        return Reading(
            joints_px=true + self.error[person_index] * size,
            scores=self.scores[person_index],
            regressed_px=true + self.second_error[person_index] * size,
            center_score=self.center_score[person_index],
            depths_m=torch.zeros(len(person_index), 25),
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
        return Scene(
            self.intrinsics[rows], Target(*(column[rows] for column in self.target))
        )


class Cameras:
    """Draws scenes from bodies in their own upright frame (y down, pelvis at the origin)."""

    def __init__(self, bodies_mm: Tensor, generator: torch.Generator):
        self.bodies_mm = bodies_mm
        self.generator = generator

    def draw(self, habits: Habits, person_index: Tensor) -> Scene:
        """Bodies as large in the picture as the people whose habits they take, turned and placed at random."""
        count = len(person_index)
        pick = torch.randint(len(self.bodies_mm), (count,), generator=self.generator)
        body = self._mirrored(self.bodies_mm[pick])
        rel = body @ self._rotation(count).mT
        focal = 224 / torch.tan(self._uniform(count, 30, 100) * math.pi / 360)
        size = habits.extent_px[person_index].clamp(12, 400)
        root = self._root(rel, focal, size)
        space = rel + root[:, None]
        px = space[..., :2] / space[..., 2:] * focal[:, None, None] + 224
        centre = torch.full_like(focal, 224)
        ones = torch.ones(count, 25)
        target = Target(
            px=px,
            rel_mm=rel,
            root_mm=root,
            has_px=ones,
            has_mm=ones,
            inside=habits.inside[person_index],
            size_px=extent_px(px) * 1.15,
            is_person=torch.ones(count),
        )
        return Scene(torch.stack([focal, focal, centre, centre], 1), target)

    def _root(self, rel: Tensor, focal: Tensor, size_px: Tensor) -> Tensor:
        """[M, 3] the pelvis where the body comes out at that size, not nearer than it would touch the camera."""
        count = len(rel)
        low = rel[..., :2].amin(1)
        high = rel[..., :2].amax(1)
        extent_mm = (high - low).clamp_min(200).prod(-1).sqrt()
        nearest = 350 - rel[..., 2].amin(1)
        depth = torch.maximum(focal * extent_mm / size_px, nearest)
        x = self._uniform(count, -0.9, 0.9) * 224
        y = self._uniform(count, -0.9, 0.9) * 160
        place = torch.stack([x, y], 1)
        return torch.cat([place / focal[:, None] * depth[:, None], depth[:, None]], 1)

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
    c = angle.cos()
    s = angle.sin()
    one = torch.ones_like(c)
    none = torch.zeros_like(c)
    rows = {
        0: (one, none, none, none, c, -s, none, s, c),
        1: (c, none, s, none, one, none, -s, none, c),
        2: (c, -s, none, s, c, none, none, none, one),
    }[axis]
    return torch.stack(rows, 1).view(-1, 3, 3)


def through(joints_px: Tensor, scene: Scene, size_hw: tuple[int, int]) -> Scene:
    """The same people in the window of `size_hw` pixels round an earlier stage's joints [M, 25, 2].

    The window's box is that of the joints as in `crops.person_window`, without a frame to stop at.
    """
    low = joints_px.amin(1)
    high = joints_px.amax(1)
    size = torch.tensor(size_hw[::-1], dtype=low.dtype)
    scale = torch.minimum(
        (size / (high - low).clamp_min(1e-6)).amin(1) / MARGIN,
        size.amax() / SMALLEST_PX,
    )
    corner = (low + high) / 2 - size / scale[:, None] / 2
    focal = scene.intrinsics[:, :2] * scale[:, None]
    centre = (scene.intrinsics[:, 2:] - corner) * scale[:, None]

    def to_window(px: Tensor) -> Tensor:
        return (px - corner[:, None]) * scale[:, None, None]

    target = scene.target._replace(
        px=to_window(scene.target.px), size_px=scene.target.size_px * scale
    )
    return Scene(torch.cat([focal, centre], 1), target)


def seeded(seed: int, *more: int) -> torch.Generator:
    """A generator that depends on all of the numbers."""
    return torch.Generator().manual_seed(
        int(np.random.SeedSequence((seed, *more)).generate_state(1)[0])
    )
