"""Losses of a head: means over the labelled joints; what is not labelled costs nothing."""

from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from posecascade.models.lab.networks.lifter import Body

RIGHT = 0.1
"""A joint's 2D counts as right within this share of the person's size."""


@dataclass(frozen=True, slots=True)
class Weights:
    """How much each term counts."""

    likelihood: float = 1.0
    """Negative log-likelihood of the 3D error, which trains the spread as well."""
    distance: float = 6.0
    """Mean 3D distance, per metre: keeps the gradient of joints whose spread has grown (arXiv 2203.09168)."""
    plane: float = 4.0
    """2D, in sizes of the person."""
    joint: float = 0.3
    person: float = 0.3
    size: float = 0.3
    hard: float = 0.0
    """Power of a person's own 3D error that their 3D terms count by; 0: everybody counts alike."""


class Target(NamedTuple):
    """The truth of M people in the network's pixels and axes; see `readings.COLUMNS`."""

    px: Tensor
    rel_mm: Tensor
    root_mm: Tensor
    has_px: Tensor
    has_mm: Tensor
    inside: Tensor
    size_px: Tensor
    is_person: Tensor


def target_of(table: dict[str, Tensor], rows: Tensor | slice = slice(None)) -> Target:
    """Rows of a table of readings as a target."""
    names = {"px": "true_px", "rel_mm": "true_rel_mm", "root_mm": "true_root_mm"}
    return Target(
        **{name: table[names.get(name, name)][rows].float() for name in Target._fields}
    )


def losses(body: Body, target: Target, weights: Weights) -> dict[str, Tensor]:
    """Each term, weighted, and their sum under `total`."""
    true_rel_m = target.rel_mm / 1000 @ body.view.rotation.mT
    distance = (body.rel_m - true_rel_m).norm(dim=-1)  # [M, 25] metres
    # -log density, up to a constant
    likelihood = distance * torch.exp(-body.log_spread) + 3 * body.log_spread
    true_plane = body.view.forward(target.px)
    distance_2d = (body.plane - true_plane).norm(dim=-1)  # [M, 25]
    counts_2d = target.has_px * (0.2 + 0.8 * target.inside)
    counts_3d = target.has_mm
    if weights.hard:
        counts_3d = counts_3d * _by_error(distance, target.has_mm, weights.hard)
    joint = _cross_entropy(body.joint_logits, joint_right(body, target))
    person = _cross_entropy(body.person_logit, target.is_person)
    terms = {
        "likelihood": weights.likelihood * _mean(likelihood, counts_3d),
        "distance": weights.distance * _mean(distance, counts_3d),
        "plane": weights.plane * _mean(distance_2d.clamp_max(2.0), counts_2d),
        "joint": weights.joint * _mean(joint, target.has_px),
        "person": weights.person * person.mean(),
        "size": weights.size * _size_loss(body, target),
    }
    return terms | {"total": torch.stack(list(terms.values())).sum()}


def joint_right(body: Body, target: Target) -> Tensor:
    """[M, 25] 1 where the joint is in the picture and the predicted 2D within `RIGHT` of its place."""
    with torch.no_grad():
        error_px = (body.view.inverse(body.plane) - target.px).norm(dim=-1)
        right: Tensor = error_px < RIGHT * target.size_px[:, None]
        return target.inside * right.float()


def _size_loss(body: Body, target: Target) -> Tensor:
    """Laplace likelihood of the log of the metric size, which is the root's depth times the angular size."""
    root_m = body.view.rotation @ target.root_mm[:, :, None] / 1000  # [M, 3, 1]
    depth = root_m[:, 2, 0]  # in view axes
    true = depth.clamp_min(0.05).log() + body.view.scale[:, 0, 0].log()
    error = (body.log_size - true).abs()
    likelihood = error * torch.exp(-body.log_size_spread) + body.log_size_spread
    return _mean(likelihood, (target.has_mm[:, 0] > 0) & (depth > 0.05))


def _by_error(distance: Tensor, known: Tensor, power: float) -> Tensor:
    """[M, 1] weights, 1 on average, by the mean of the errors [M, 25] that are known: hard people count more.

    The regression's counterpart of the focal loss (arXiv 1708.02002), which weighs by a wrong answer's probability.
    """
    joints = known.sum(1, keepdim=True)
    error = (distance.detach() * known).sum(1, keepdim=True) / joints.clamp_min(1)
    weight = error.clamp_min(1e-3) ** power
    labelled = (joints > 0).float()
    total = (weight * labelled).sum().clamp_min(1e-9)
    weights: Tensor = weight * labelled.sum().clamp_min(1) / total
    return weights


def _cross_entropy(logits: Tensor, truth: Tensor) -> Tensor:
    return F.binary_cross_entropy_with_logits(logits, truth, reduction="none")


def _mean(values: Tensor, mask: Tensor) -> Tensor:
    mask = mask.to(values.dtype)
    return (values * mask).sum() / mask.sum().clamp_min(1)
