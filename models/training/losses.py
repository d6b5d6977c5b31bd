"""What a head is trained to minimise: means over what is labelled; what is not labelled costs nothing."""

from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from models.networks.body import Body

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
    return Target(**{name: table[names.get(name, name)][rows].float() for name in Target._fields})


def losses(body: Body, target: Target, weights: Weights) -> dict[str, Tensor]:
    """Each term, weighted, and their sum under `total`."""
    distance = (body.rel_m - target.rel_mm / 1000 @ body.turn.rotation.mT).norm(dim=-1)  # [M, 25] metres
    surprise = distance * torch.exp(-body.log_spread) + 3 * body.log_spread  # -log density, up to a constant
    true_plane = body.turn.enter(target.px)
    apart = (body.plane - true_plane).norm(dim=-1)  # [M, 25]
    counted = target.has_px * (0.2 + 0.8 * target.inside)
    counted_mm = target.has_mm * _by_error(distance, target.has_mm, weights.hard) if weights.hard else target.has_mm
    terms = {
        "likelihood": weights.likelihood * _mean(surprise, counted_mm),
        "distance": weights.distance * _mean(distance, counted_mm),
        "plane": weights.plane * _mean(apart.clamp_max(2.0), counted),
        "joint": weights.joint * _mean(_logistic(body.joint_logits, joint_right(body, target)), target.has_px),
        "person": weights.person * _logistic(body.person_logit, target.is_person).mean(),
        "size": weights.size * _size_loss(body, target),
    }
    return terms | {"total": torch.stack(list(terms.values())).sum()}


def joint_right(body: Body, target: Target) -> Tensor:
    """[M, 25] 1 where the joint is in the picture and the 2D answer within `RIGHT` of its place."""
    with torch.no_grad():
        off = (body.turn.leave(body.plane) - target.px).norm(dim=-1)
        return target.inside * (off < RIGHT * target.size_px[:, None]).float()


def _size_loss(body: Body, target: Target) -> Tensor:
    """Laplace likelihood of the log of the metric size, which is the root's depth times the angular size."""
    turned = (body.turn.rotation @ target.root_mm[:, :, None] / 1000)[:, 2, 0]
    true = turned.clamp_min(0.05).log() + body.turn.scale[:, 0, 0].log()
    surprise = (body.log_size - true).abs() * torch.exp(-body.log_size_spread) + body.log_size_spread
    return _mean(surprise, (target.has_mm[:, 0] > 0) & (turned > 0.05))


def _by_error(distance: Tensor, known: Tensor, power: float) -> Tensor:
    """[M, 1] weights, 1 on average, by the mean of the errors [M, 25] that are known: hard people count more.

    The regression's counterpart of the focal loss (arXiv 1708.02002), which weighs by a wrong answer's probability.
    """
    error = (distance.detach() * known).sum(1, keepdim=True) / known.sum(1, keepdim=True).clamp_min(1)
    weight = error.clamp_min(1e-3) ** power
    labelled = (known.sum(1, keepdim=True) > 0).float()
    return weight * labelled.sum().clamp_min(1) / (weight * labelled).sum().clamp_min(1e-9)


def _logistic(logits: Tensor, truth: Tensor) -> Tensor:
    return F.binary_cross_entropy_with_logits(logits, truth, reduction="none")


def _mean(values: Tensor, mask: Tensor) -> Tensor:
    mask = mask.to(values.dtype)
    return (values * mask).sum() / mask.sum().clamp_min(1)
