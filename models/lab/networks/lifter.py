"""The 3D head of every stage: 2D keypoints and a camera in, a metric 3D pose with its uncertainty out.

1. `normalize_view` rotates the camera so that the hips lie on the optical axis, and scales the person to unit size.
   Place in the frame, focal length and distance then no longer matter.
2. A residual network (`Lifter`, arXiv 1705.03098) maps 2D joints, their scores and the regressed joints to 3D.
3. At inference the pose is corrected by what was measured: depths that were read are blended in (`blend_depths`), and
   joints are pulled onto the rays through their 2D places (`pull_onto_rays`).
4. `contract_outputs` rotates the pose back into camera axes, in millimetres and pixels.

Deep stages also average over a flip test and over the coarse stage's lifter. In training the network stands alone.
The spread of each joint is learned from the likelihood (arXiv 1703.04977, section 2.2).
"""

from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from posecascade.models.lab.networks.readout import READ_JOINTS, Reading
from posecascade.models.skeleton import COCO17, JOINT_NAMES, JOINTS, MIRROR

_HIPS = [11, 12]
_MIRROR = MIRROR.tolist()
_COCO = list(COCO17.source)
_COCO_MIRROR = [_COCO.index(_MIRROR[joint]) for joint in _COCO]

_FEATURES = READ_JOINTS * 5 + 3
"""Of a person: 2D joints, differences of the regressed joints, scores; angular size, size in pixels, centre score."""

_PERSON_OUTPUTS = 3
"""Person logit, log size, and the spread of the log size."""

COCO_SUBSTITUTES = {
    "pelvis": (11, 12),
    "spine": (5, 6, 11, 12),
    "neck": (5, 6),
    "head_top": (3, 4),
    "left_heel": (15,),
    "right_heel": (16,),
    "left_toe": (15,),
    "right_toe": (16,),
}
"""COCO joints whose mean is the first estimate of a joint that COCO lacks."""


class ViewTransform(NamedTuple):
    """Pixels to the normalized view of a person and back: rotated towards the hips, scaled to unit size."""

    rotation: Tensor
    """[M, 3, 3] camera axes to view axes."""
    scale: Tensor
    """[M, 1, 1] tangent of the person's angular size."""
    focal: Tensor
    """[M, 1, 2] pixels"""
    center: Tensor
    """[M, 1, 2] pixels"""

    def forward(self, px: Tensor) -> Tensor:
        """Pixels [M, J, 2] to the normalized plane [M, J, 2]."""
        rays = (px - self.center) / self.focal
        rotated = _homogeneous(rays) @ self.rotation.mT
        return rotated[..., :2] / rotated[..., 2:].clamp_min(0.2) / self.scale

    def inverse(self, plane: Tensor) -> Tensor:
        """The normalized plane [M, J, 2] to pixels [M, J, 2]."""
        rays = self.camera_rays(plane)
        return rays[..., :2] / rays[..., 2:].clamp_min(0.05) * self.focal + self.center

    def camera_rays(self, plane: Tensor) -> Tensor:
        """[M, J, 3] rays in camera axes, of depth 1 in view axes."""
        return _homogeneous(plane * self.scale) @ self.rotation


def _homogeneous(xy: Tensor) -> Tensor:
    """[M, J, 2] -> [M, J, 3], the last coordinate 1."""
    return torch.cat([xy, torch.ones_like(xy[..., :1])], -1)


@dataclass(frozen=True, slots=True)
class Corrections:
    """How the lifter's pose is corrected at inference.

    The shares are constants: learned on rendered people they come out too large, see docs/training.md.
    """

    depth_share: float = 0.5
    """Weight of the measured depths, in stages that read depths."""
    ray_share: float = 0.7
    """How far a joint with a 2D score of 1 is pulled onto its ray."""
    flip_test: bool = True
    """Deep stages average with the mirrored input."""
    coarse_lifter: bool = True
    """Deep stages average with the lifter of the coarse stage."""


class Body(NamedTuple):
    """M people as the head predicts them; metres, view axes."""

    rel_m: Tensor
    """[M, 25, 3] view axes, relative to the pelvis."""
    log_spread: Tensor
    """[M, 25] log of b, metres, of the density proportional to exp(-distance / b)."""
    plane: Tensor
    """[M, 25, 2] joints in the normalized plane."""
    joint_logits: Tensor
    """[M, 25]"""
    person_logit: Tensor
    """[M]"""
    log_size: Tensor
    """[M] log of the body's metric size: depth of the pelvis in view axes times the angular scale."""
    log_size_spread: Tensor
    """[M] log of b of the Laplace density of `log_size`."""
    view: ViewTransform


def normalize_view(reading: Reading, intrinsics: Tensor) -> ViewTransform:
    """The view of each person; intrinsics [M, 4] = fx, fy, cx, cy of the network's input."""
    focal = intrinsics[:, None, :2]
    center = intrinsics[:, None, 2:]
    hips_px = reading.joints_px[:, _HIPS].mean(1)
    hips = (hips_px - center[:, 0]) / focal[:, 0]  # [M, 2]
    unscaled = ViewTransform(
        rotation=look_at_rotation(_homogeneous(hips)),
        scale=torch.ones_like(focal[..., :1]),
        focal=focal,
        center=center,
    )
    plane = unscaled.forward(reading.joints_px)  # [M, 17, 2]
    weight = reading.scores.clamp(0.05, 1.0)
    mean_square = (plane.square().sum(-1) * weight).sum(1) / weight.sum(1)
    scale = mean_square.sqrt().clamp(1e-3, 3.0)
    return unscaled._replace(scale=scale[:, None, None])


def look_at_rotation(target: Tensor) -> Tensor:
    """[M, 3, 3] camera axes to axes whose third points at `target` [M, 3] and whose first is level."""
    forward = F.normalize(target, dim=1)
    x, y, z = forward.unbind(1)
    level = torch.sqrt(x * x + z * z)
    right = torch.stack([z / level, torch.zeros_like(x), -x / level], 1)
    down = torch.stack([-x * y / level, level, -y * z / level], 1)
    return torch.stack([right, down, forward], 1)  # rows: view axes in camera axes


class LifterOutput(NamedTuple):
    """Raw outputs of a lifter for M people."""

    rel: Tensor
    """[M, 25, 3] metres, view axes."""
    log_spread: Tensor
    """[M, 25]"""
    offset: Tensor
    """[M, 25, 2] from a joint's substitute to the joint, in the normalized plane."""
    joint_logits: Tensor
    """[M, 25]"""
    person: Tensor
    """[M, 3] person logit, log size, spread of the log size."""


class _ResidualBlock(nn.Module):
    """Two linear layers behind a LayerNorm, beside a shortcut."""

    def __init__(self, width: int, dropout: float):
        super().__init__()
        self.layers = nn.Sequential(
            nn.LayerNorm(width),
            nn.Linear(width, width),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(width, width),
        )

    def forward(self, x: Tensor) -> Tensor:
        residual: Tensor = self.layers(x)
        return x + residual


class Lifter(nn.Module):
    """2D features of a person in, a 3D pose out: residual blocks and a linear skip connection."""

    LAYERS = ("input_layer", "blocks", "output_layer", "linear_skip")

    def __init__(self, width: int = 512, blocks: int = 2, dropout: float = 0.0):
        super().__init__()
        residual = [_ResidualBlock(width, dropout) for _ in range(blocks)]
        self.input_layer = nn.Linear(_FEATURES, width)
        self.blocks = nn.Sequential(*residual, nn.LayerNorm(width))
        self.output_layer = nn.Linear(width, JOINTS * 7 + _PERSON_OUTPUTS)
        self.linear_skip = nn.Linear(_FEATURES, JOINTS * 3, bias=False)
        nn.init.zeros_(self.linear_skip.weight)

    def lift(self, features: Tensor) -> LifterOutput:
        """Outputs for M people's features [M, 88]."""
        x = self.output_layer(self.blocks(self.input_layer(features)))
        sizes = [JOINTS * 3, JOINTS, JOINTS * 2, JOINTS, _PERSON_OUTPUTS]
        rel, log_spread, offset, joint_logits, person = x.split(sizes, 1)
        rel = rel + self.linear_skip(features)
        return LifterOutput(
            rel=rel.unflatten(1, (JOINTS, 3)),
            log_spread=log_spread,
            offset=offset.unflatten(1, (JOINTS, 2)),
            joint_logits=joint_logits,
            person=person,
        )


class BodyHead(Lifter):
    """Reading and camera in, body out."""

    substitutes: Tensor
    """[25, 17] weights of the COCO joints in the first estimate of each joint."""
    is_coco: Tensor
    """[25] 1 where COCO has the joint."""

    def __init__(
        self, deep: bool, width: int = 512, blocks: int = 2, dropout: float = 0.0
    ):
        """A head; `deep`: the stage reads depths, and has the time to average over several predictions."""
        super().__init__(width, blocks, dropout)
        self.deep = deep
        self.corrections = Corrections()
        self.coarse_lifter: Lifter | None = None
        if deep:
            self.coarse_lifter = Lifter(width, blocks).requires_grad_(False)
        is_coco = [float(name in COCO17.joints) for name in JOINT_NAMES]
        self.register_buffer("substitutes", _substitute_matrix())
        self.register_buffer("is_coco", torch.tensor(is_coco))

    @torch.no_grad()
    def start_from(self, other: "BodyHead") -> None:
        """Starts from another head's lifter.

        A deep head also takes over the other's coarse lifter, or else that lifter as its coarse one, and never trains
        it.
        """
        lifter = {
            name: value
            for name, value in other.state_dict().items()
            if name.split(".")[0] in self.LAYERS
        }
        self.load_state_dict(lifter, strict=False)
        if self.coarse_lifter is None:
            return
        if other.coarse_lifter is None:
            self.coarse_lifter.load_state_dict(lifter)
        else:
            self.coarse_lifter.load_state_dict(other.coarse_lifter.state_dict())

    def forward(self, reading: Reading, intrinsics: Tensor) -> Body:
        """Bodies of M people; intrinsics [M, 4] as for `normalize_view`."""
        view = normalize_view(reading, intrinsics)
        plane = view.forward(reading.joints_px)
        output = self._predict(reading, intrinsics, view, plane)
        missing = 1 - self.is_coco[:, None]  # [25, 1] joints that COCO lacks may move
        joints = self.substitutes @ plane + missing * output.offset
        rel = output.rel - output.rel[:, :1]
        if not self.training:
            rel = self._corrected(rel, joints * view.scale, reading, output)
        return Body(
            rel_m=rel,
            log_spread=output.log_spread.clamp(-6, 1) - 2,
            plane=joints,
            joint_logits=output.joint_logits,
            person_logit=output.person[:, 0],
            log_size=output.person[:, 1].clamp(-4, 4) - 0.7,
            log_size_spread=output.person[:, 2].clamp(-4, 2) - 1.5,
            view=view,
        )

    def _predict(
        self, reading: Reading, intrinsics: Tensor, view: ViewTransform, plane: Tensor
    ) -> LifterOutput:
        """The lifter's outputs for joints [M, 17, 2] in the normalized plane; averaged over a flip test if deep."""
        regressed = (view.forward(reading.regressed_px) - plane).clamp(-3, 3)
        scale = view.scale[:, 0]
        log_size_px = (scale * intrinsics[:, :1]).log() - 4
        person = torch.cat(
            [scale.log(), log_size_px, reading.center_score[:, None]], 1
        )  # [M, 3]
        output = self._lift(plane, regressed, reading.scores, person)
        if self.training or not self.deep or not self.corrections.flip_test:
            return output
        flipped = self._lift(
            _mirrored(plane, _COCO_MIRROR),
            _mirrored(regressed, _COCO_MIRROR),
            _mirrored(reading.scores, _COCO_MIRROR),
            person,
        )
        return _mean(output, _flipped_back(flipped))

    def _lift(
        self, plane: Tensor, regressed: Tensor, scores: Tensor, person: Tensor
    ) -> LifterOutput:
        """One pass of the lifter, and of the coarse lifter where there is one."""
        places = plane.flatten(1).clamp(-8, 8)
        features = torch.cat([places, regressed.flatten(1), scores, person], 1)
        output = self.lift(features)
        if self.training or self.coarse_lifter is None:
            return output
        if not self.corrections.coarse_lifter:
            return output
        return _mean(output, self.coarse_lifter.lift(features))

    def _corrected(
        self, rel: Tensor, slopes: Tensor, reading: Reading, output: LifterOutput
    ) -> Tensor:
        """The pose [M, 25, 3] corrected by measured depths and by the rays of `slopes` [M, 25, 2]."""
        if self.deep:
            rel = blend_depths(rel, reading.depths_m, self.corrections.depth_share)
        share = self.corrections.ray_share * output.joint_logits.sigmoid()
        return pull_onto_rays(rel, slopes, share)


def blend_depths(rel: Tensor, depths: Tensor, share: float) -> Tensor:
    """A pose [M, 25, 3] in view axes with a share of the measured depths [M, 25]; metres, relative to the pelvis."""
    blended = torch.lerp(rel[..., 2:], depths.unsqueeze(2), share)
    return torch.cat([rel[..., :2], blended], 2)


def pull_onto_rays(rel: Tensor, slopes: Tensor, share: Tensor) -> Tensor:
    """A pose [M, 25, 3] in view axes, metres relative to the pelvis, with joints pulled onto their rays.

    The distance of the pelvis is the least-squares fit of the pose to the rays. Depths stay as they are.

    Args:
        rel: the pose.
        slopes: [M, 25, 2] of the rays to the joints, per metre of distance.
        share: [M, 25] how far each joint is pulled, and the weight of its ray in the fit.
    """
    xy = rel[..., :2]
    depth = rel[..., 2:]
    weight = share.unsqueeze(2)
    from_pelvis = slopes - slopes[:, :1]
    matched = (weight * from_pelvis * (xy - slopes * depth)).sum((1, 2))
    norm = (weight * from_pelvis.square()).sum((1, 2)).clamp_min(1e-9)
    distance = matched / norm  # [M]
    on_ray = from_pelvis * distance[:, None, None] + slopes * depth
    return torch.cat([torch.lerp(xy, on_ray, weight), depth], 2)


def _mirrored(values: Tensor, counterpart: list[int]) -> Tensor:
    """Left for right of numbers [M, J] or vectors [M, J, 2 or 3]; `counterpart` is the joint on the other side."""
    swapped = values[:, counterpart]
    if swapped.dim() == 2:
        return swapped
    return torch.cat([-swapped[..., :1], swapped[..., 1:]], -1)


def _flipped_back(output: LifterOutput) -> LifterOutput:
    """Outputs for a mirrored input as outputs for the input itself."""
    return LifterOutput(
        rel=_mirrored(output.rel, _MIRROR),
        log_spread=_mirrored(output.log_spread, _MIRROR),
        offset=_mirrored(output.offset, _MIRROR),
        joint_logits=_mirrored(output.joint_logits, _MIRROR),
        person=output.person,
    )


def _mean(first: LifterOutput, second: LifterOutput) -> LifterOutput:
    """Errors that differ cancel."""
    pairs = zip(first, second, strict=True)
    return LifterOutput(*((one + other) / 2 for one, other in pairs))


def _substitute_matrix() -> Tensor:
    """[25, 17] weights of the COCO joints whose mean is the first estimate of each joint of cascade25."""
    matrix = torch.zeros(JOINTS, READ_JOINTS)
    for row, name in enumerate(JOINT_NAMES):
        sources = COCO_SUBSTITUTES.get(name) or (COCO17.joints.index(name),)
        matrix[row, list(sources)] = 1 / len(sources)
    return matrix


def contract_outputs(body: Body) -> dict[str, Tensor]:
    """The named outputs of a stage's contract for M people: millimetres, pixels and camera axes."""
    view = body.view
    depth = torch.exp(body.log_size) / view.scale[:, 0, 0]  # [M] metres, in view axes
    pelvis_ray = view.camera_rays(body.plane[:, :1])[:, 0]  # [M, 3]
    root_depth = 1000 * depth * pelvis_ray[:, 2].clamp_min(0.05)
    return {
        "score": torch.sigmoid(body.person_logit),
        "joints_px": view.inverse(body.plane),
        "joint_scores": torch.sigmoid(body.joint_logits),
        "joints_rel_mm": 1000 * body.rel_m @ view.rotation,
        "sigma_mm": 1000 * 12**0.5 * torch.exp(body.log_spread),  # E r^2 = 12 b^2
        "root_depth_mm": root_depth,
        "root_depth_sigma_mm": root_depth * 2**0.5 * torch.exp(body.log_size_spread),
    }
