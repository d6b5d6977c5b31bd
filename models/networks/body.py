"""The head every stage carries: readings in a picture to a metric 3D body with its uncertainty.

The geometry is that of a lifter: rays are turned so that the hips lie on the optical axis and scaled to unit size,
which takes place in the frame, focal length and distance out of the problem; the answer is turned back. A residual
network (arXiv 1705.03098) maps joints, scores and second opinions to the body. What it says is then set
right by what was read: depths are mixed in where the stage reads them, and joints drawn onto the rays through their 2D
places. The deep stages ask the mirrored question too, and the lifter of the stage before beside their own: they answer
in the mean. In training the network stands alone.
The spread of each joint is learned from the likelihood (arXiv 1703.04977, section 2.2).
"""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

from models.networks.readout import READ_JOINTS, Reading
from models.skeleton import COCO17, JOINT_NAMES, JOINTS, MIRROR

_HIPS = (11, 12)
_COCO = list(COCO17.source)
_MIRROR = MIRROR.tolist()
_COCO_MIRROR = [_COCO.index(_MIRROR[joint]) for joint in _COCO]
_LIFTER = ("enter", "blocks", "leave", "straight")
_STAND_INS = {
    "pelvis": (11, 12),
    "spine": (5, 6, 11, 12),
    "neck": (5, 6),
    "head_top": (3, 4),
    "left_heel": (15,),
    "right_heel": (16,),
    "left_toe": (15,),
    "right_toe": (16,),
}
"""COCO joints whose mean stands in for a joint that COCO lacks, before the network moves it."""


class Turn(NamedTuple):
    """The view turned towards a person and scaled to them."""

    rotation: Tensor
    """[M, 3, 3] camera axes to turned axes."""
    scale: Tensor
    """[M, 1, 1] tangent of the person's angular size."""
    focal: Tensor
    """[M, 1, 2]"""
    center: Tensor
    """[M, 1, 2]"""

    def enter(self, px: Tensor) -> Tensor:
        """Pixels [M, J, 2] in the turned, scaled plane."""
        rays = (px - self.center) / self.focal
        turned = torch.cat([rays, torch.ones_like(rays[..., :1])], -1) @ self.rotation.mT
        return turned[..., :2] / turned[..., 2:].clamp_min(0.2) / self.scale

    def leave(self, plane: Tensor) -> Tensor:
        """The inverse of `enter`."""
        rays = self.direction(plane)
        return rays[..., :2] / rays[..., 2:].clamp_min(0.05) * self.focal + self.center

    def direction(self, plane: Tensor) -> Tensor:
        """[M, J, 3] in camera axes, of length such that the turned depth is 1."""
        scaled = plane * self.scale
        return torch.cat([scaled, torch.ones_like(scaled[..., :1])], -1) @ self.rotation


@dataclass(frozen=True, slots=True)
class Corrections:
    """How what the network says is set right by what was read; not in training, where the network stands alone.

    Constants, and not learned: learned on rendered people they are trusted too much, see docs/training.md.
    """

    depth_share: float = 0.5
    """Of the depths that were read in the body's, where a stage reads them."""
    ray_share: float = 0.7
    """How far a joint that is surely right in 2D is drawn onto its ray."""
    mirrored: bool = True
    """The mirrored question is asked too, by stages that have the time."""
    elder: bool = True
    """The lifter of the stage before is asked too, where there is one."""


class Body(NamedTuple):
    """M people as the head gives them; lengths in metres, directions in the turned frame until `leave`."""

    rel_m: Tensor
    """[M, 25, 3] turned axes, relative to the pelvis."""
    log_spread: Tensor
    """[M, 25] log of b, metres, of the density proportional to exp(-distance / b)."""
    plane: Tensor
    """[M, 25, 2] joints in the turned, scaled plane."""
    joint_logits: Tensor
    """[M, 25]"""
    person_logit: Tensor
    """[M]"""
    log_size: Tensor
    """[M] log of the body's metric size: turned depth of the pelvis times the angular scale."""
    log_size_spread: Tensor
    """[M] log of b of the Laplace density of `log_size`."""
    turn: Turn


def face(reading: Reading, intrinsics: Tensor) -> Turn:
    """The turn towards each person; intrinsics [M, 4] = fx, fy, cx, cy of the network's input."""
    focal, center = intrinsics[:, None, :2], intrinsics[:, None, 2:]
    hips = (reading.joints_px[:, list(_HIPS)].mean(1) - center[:, 0]) / focal[:, 0]  # [M, 2]
    rotation = toward(torch.cat([hips, torch.ones_like(hips[:, :1])], 1))
    unit = Turn(rotation, torch.ones_like(focal[..., :1]), focal, center)
    flat = unit.enter(reading.joints_px)  # [M, 17, 2]
    weight = reading.scores.clamp(0.05, 1.0)
    scale = ((flat.square().sum(-1) * weight).sum(1) / weight.sum(1)).sqrt().clamp(1e-3, 3.0)
    return unit._replace(scale=scale[:, None, None])


def toward(place: Tensor) -> Tensor:
    """[M, 3, 3] camera axes to axes whose third points at `place` [M, 3] and whose first is level."""
    x, y, z = nn.functional.normalize(place, dim=1).unbind(1)
    level = torch.sqrt(x * x + z * z)
    right = torch.stack([z / level, torch.zeros_like(x), -x / level], 1)
    down = torch.stack([-x * y / level, level, -y * z / level], 1)
    return torch.stack([right, down, torch.stack([x, y, z], 1)], 1)  # rows: the turned axes in camera axes


class _Block(nn.Module):
    def __init__(self, width: int, dropout: float):
        super().__init__()
        self.layers = nn.Sequential(
            nn.LayerNorm(width), nn.Linear(width, width), nn.ReLU(), nn.Dropout(dropout), nn.Linear(width, width)
        )

    def forward(self, x: Tensor) -> Tensor:
        return x + self.layers(x)


class Lifter(nn.Module):
    """A reading as plain numbers in, the network's outputs out."""

    def __init__(self, width: int = 512, blocks: int = 2, dropout: float = 0.0):
        super().__init__()
        plain = READ_JOINTS * 5 + 3
        self.enter = nn.Linear(plain, width)
        self.blocks = nn.Sequential(*(_Block(width, dropout) for _ in range(blocks)), nn.LayerNorm(width))
        self.leave = nn.Linear(width, JOINTS * 7 + 3)
        self.straight = nn.Linear(plain, JOINTS * 3, bias=False)
        nn.init.zeros_(self.straight.weight)

    def lift(self, plain: Tensor) -> "_Answer":
        """The answer to M readings [M, 88]."""
        x = self.leave(self.blocks(self.enter(plain)))
        rel, spread, move, joint, rest = x.split([JOINTS * 3, JOINTS, JOINTS * 2, JOINTS, 3], 1)
        rel = (rel + self.straight(plain)).unflatten(1, (JOINTS, 3))
        return _Answer(rel, spread, move.unflatten(1, (JOINTS, 2)), joint, rest)


class BodyHead(Lifter):
    """Reading and camera in, body out."""

    def __init__(self, deep: bool, width: int = 512, blocks: int = 2, dropout: float = 0.0):
        """A head; `deep`: depths were read in the picture, and there is time to ask more than once."""
        super().__init__(width, blocks, dropout)
        self.deep = deep
        self.corrections = Corrections()
        self.elder = Lifter(width, blocks).requires_grad_(False) if deep else None
        self.register_buffer("stand_in", _stand_in_matrix())  # [25, 17]
        self.register_buffer("is_read", torch.tensor([float(name in COCO17.joints) for name in JOINT_NAMES]))  # [25]

    @torch.no_grad()
    def start_from(self, other: "BodyHead") -> None:
        """Takes over another head's lifter to learn from there; its elder, or else that lifter, is kept as it is."""
        lifter = {name: value for name, value in other.state_dict().items() if name.split(".")[0] in _LIFTER}
        self.load_state_dict(lifter, strict=False)
        if self.elder is not None:
            self.elder.load_state_dict(lifter if other.elder is None else other.elder.state_dict())

    def forward(self, reading: Reading, intrinsics: Tensor) -> Body:
        """Bodies of M people; intrinsics [M, 4] as for `face`."""
        turn = face(reading, intrinsics)
        plane = turn.enter(reading.joints_px)
        second = (turn.enter(reading.regressed_px) - plane).clamp(-3, 3)
        scale = turn.scale[:, 0]
        whole = torch.cat([scale.log(), (scale * intrinsics[:, :1]).log() - 4, reading.center_score[:, None]], 1)
        said = self._answer(plane, second, reading.scores, whole)
        if self.deep and self.corrections.mirrored and not self.training:
            mirrored = (_mirrored(part, _COCO_MIRROR) for part in (plane, second, reading.scores))
            said = _mean(said, _turned_back(self._answer(*mirrored, whole)))
        free = 1 - self.is_read[:, None]  # [25, 1]: joints that the picture was read for stay where they were read
        placed = self.stand_in @ plane + free * said.move
        rel = said.rel - said.rel[:, :1]
        if not self.training:
            if self.deep:
                rel = with_depths(rel, reading.depths_m, self.corrections.depth_share)
            rel = on_rays(rel, placed * turn.scale, self.corrections.ray_share * said.joint.sigmoid())
        return Body(
            rel_m=rel,
            log_spread=said.spread.clamp(-6, 1) - 2,
            plane=placed,
            joint_logits=said.joint,
            person_logit=said.whole[:, 0],
            log_size=said.whole[:, 1].clamp(-4, 4) - 0.7,
            log_size_spread=said.whole[:, 2].clamp(-4, 2) - 1.5,
            turn=turn,
        )

    def _answer(self, plane: Tensor, second: Tensor, scores: Tensor, whole: Tensor) -> "_Answer":
        plain = torch.cat([plane.flatten(1).clamp(-8, 8), second.flatten(1), scores, whole], 1)
        said = self.lift(plain)
        if self.elder is None or self.training or not self.corrections.elder:
            return said
        return _mean(said, self.elder.lift(plain))


class _Answer(NamedTuple):
    """The network's outputs for M people, before they are given their meaning."""

    rel: Tensor
    spread: Tensor
    move: Tensor
    joint: Tensor
    whole: Tensor


def with_depths(rel: Tensor, depths: Tensor, share: float) -> Tensor:
    """A body [M, 25, 3] in turned axes, a share of the depths [M, 25] mixed in; metres, relative to the pelvis."""
    return torch.cat([rel[..., :2], torch.lerp(rel[..., 2:], depths.unsqueeze(2), share)], 2)


def on_rays(rel: Tensor, slopes: Tensor, share: Tensor) -> Tensor:
    """A body [M, 25, 3] in turned axes, metres relative to the pelvis, whose joints are drawn onto rays.

    The pelvis's distance is the one at which the rays pass nearest to the body, by least squares.

    Args:
        rel: the body.
        slopes: [M, 25, 2] of the rays to the joints, per metre of distance.
        share: [M, 25] how far each joint is drawn; its ray counts as much in the distance.
    """
    across, away, weight = rel[..., :2], rel[..., 2:], share.unsqueeze(2)
    apart = slopes - slopes[:, :1]  # from the pelvis's ray
    matched = (weight * apart * (across - slopes * away)).sum((1, 2))
    distance = matched / (weight * apart.square()).sum((1, 2)).clamp_min(1e-9)  # [M]
    placed = apart * distance[:, None, None] + slopes * away
    return torch.cat([torch.lerp(across, placed, weight), away], 2)


def _mirrored(values: Tensor, other: list[int]) -> Tensor:
    """Numbers [M, J] or vectors [M, J, 2 or 3] of joints, left for right; `other` is each joint's counterpart."""
    swapped = values[:, other]
    return swapped if swapped.dim() == 2 else torch.cat([-swapped[..., :1], swapped[..., 1:]], -1)


def _turned_back(said: _Answer) -> _Answer:
    """The answer to the mirrored question as one to the question itself: left and right are alike."""
    return _Answer(*(_mirrored(part, _MIRROR) for part in said[:-1]), said.whole)


def _mean(said: _Answer, again: _Answer) -> _Answer:
    """Errors that differ cancel."""
    return _Answer(*((one + other) / 2 for one, other in zip(said, again, strict=True)))


def _stand_in_matrix() -> Tensor:
    """[25, 17] mean of the COCO joints that each joint of cascade25 starts from."""
    matrix = torch.zeros(JOINTS, READ_JOINTS)
    for row, name in enumerate(JOINT_NAMES):
        sources = _STAND_INS.get(name) or (COCO17.joints.index(name),)
        matrix[row, list(sources)] = 1 / len(sources)
    return matrix


def outputs(body: Body) -> dict[str, Tensor]:
    """The named outputs of a stage's contract, in millimetres, pixels and camera axes, M people."""
    turn = body.turn
    depth = torch.exp(body.log_size) / turn.scale[:, 0, 0]  # [M] metres, along the turned axis
    toward = turn.direction(body.plane[:, :1])[:, 0, 2]  # [M] camera depth per turned depth, at the pelvis
    root_depth = 1000 * depth * toward.clamp_min(0.05)
    return {
        "score": torch.sigmoid(body.person_logit),
        "joints_px": turn.leave(body.plane),
        "joint_scores": torch.sigmoid(body.joint_logits),
        "joints_rel_mm": 1000 * body.rel_m @ turn.rotation,
        "sigma_mm": 1000 * 12**0.5 * torch.exp(body.log_spread),  # E r^2 = 12 b^2
        "root_depth_mm": root_depth,
        "root_depth_sigma_mm": root_depth * 2**0.5 * torch.exp(body.log_size_spread),
    }
