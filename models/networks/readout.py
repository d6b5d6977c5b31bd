"""From dense maps to the joints of a person: where each joint was read, and how sure the network is."""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from models.networks.movenet import STRIDE, Maps
from models.skeleton import JOINTS

READ_JOINTS = 17
"""COCO's joints, which the picture network was trained on."""

_WINDOW = 8
"""Cells searched to each side of the regressed joint, in steps that grow with the person."""


class Reading(NamedTuple):
    """What the picture says of M people."""

    joints_px: Tensor
    """[M, 17, 2] (x, y) at the heatmaps' peaks, in pixels of the network's input."""
    scores: Tensor
    """[M, 17] heatmap probability at the peak."""
    regressed_px: Tensor
    """[M, 17, 2] the same joints as the centre regresses them: a second opinion that sees through occlusion."""
    center_score: Tensor
    """[M] probability that a person's centre is there."""
    depths_m: Tensor
    """[M, 25] of the joints of cascade25 relative to the pelvis, away from the camera; 0 where no depth was read."""


def peaks(center: Tensor, slots: int) -> Tensor:
    """Flat cell indices [N, slots] of the strongest local maxima of the logits `center` [N, 1, h, w]."""
    local = F.max_pool2d(center, 5, 1, 2)
    kept = torch.where(center >= local, center, torch.full_like(center, -30.0))
    return torch.topk(kept.flatten(1), slots, dim=1).indices


def regressed(maps: Maps, cells: Tensor) -> Tensor:
    """[N, K, 17, 2] joints as (y, x) in cells, as the flat cells [N, K] regress them."""
    width = maps.center.shape[3]
    moves = _gather(maps.regress, cells).unflatten(2, (READ_JOINTS, 2))  # [N, K, 34] -> [N, K, 17, 2]
    origin = _row_and_column(cells, width)  # [N, K, 2]
    return moves + origin.unsqueeze(2).to(moves.dtype)


def extent(joints: Tensor) -> Tensor:
    """[..., 1, 1] size of bodies [..., J, 2]: geometric mean of the sides of the box round them, at least 4."""
    sides = joints.amax(-2) - joints.amin(-2)
    return (sides + 1.0).prod(-1).sqrt().clamp_min(4.0)[..., None, None]


def read(maps: Maps, cells: Tensor, guides: tuple[Tensor, ...] = (), guide_widths: tuple[Tensor, ...] = ()) -> Reading:
    """The people whose centres lie in `cells` [N, K].

    Each joint is the heatmap's best cell in a window about its regressed place, weighted down with the distance, plus
    that cell's sub-cell offset. `guides` ([N, K, 17, 2] as (y, x) cells) and `guide_widths` ([N, K, 17] cells)
    are further opinions on where the joint is.
    """
    n, k = cells.shape
    h, w = maps.center.shape[2:]
    start = regressed(maps, cells)  # [N, K, 17, 2]
    size = extent(start)  # [N, K, 1, 1]
    step = (0.25 / _WINDOW * size).clamp_min(1.0)
    line = torch.arange(-_WINDOW, _WINDOW + 1, device=cells.device, dtype=start.dtype)
    grid = torch.stack(torch.meshgrid(line, line, indexing="ij"), -1).flatten(0, 1)  # [289, 2]
    place = (start.unsqueeze(3) + grid * step.unsqueeze(3)).round()  # [N, K, 17, 289, 2]
    y, x = place[..., 0].clamp(0, h - 1), place[..., 1].clamp(0, w - 1)
    flat = (y * w + x).long()  # [N, K, 17, 289]
    joint = torch.arange(READ_JOINTS, device=cells.device).view(1, 1, -1, 1) * (h * w)
    heat = torch.gather(maps.heatmaps.flatten(1), 1, (flat + joint).flatten(1)).view(flat.shape)  # logits
    # Compared as logarithms: far from every joint the products themselves vanish, and which runtime rounds them to
    # nothing first would decide. softplus and not logsigmoid, which exports as the log of a sigmoid.
    likely = -F.softplus(-heat) - _far(y, x, start, (0.12 * size).clamp_min(2.5))
    for guide, width in zip(guides, guide_widths, strict=True):
        likely = likely - _far(y, x, guide, width.unsqueeze(3))
    best = likely.argmax(3, keepdim=True)  # [N, K, 17, 1]
    cell = torch.gather(flat, 3, best)
    score = torch.gather(heat, 3, best).squeeze(3).sigmoid()  # [N, K, 17]
    channel = 2 * torch.arange(READ_JOINTS, device=cells.device).view(1, 1, -1, 1) * (h * w)
    both = torch.cat([cell + channel, cell + channel + h * w], 3)  # [N, K, 17, 2]: dy, dx
    offset = torch.gather(maps.offsets.flatten(1), 1, both.flatten(1)).view(both.shape)
    joints = _row_and_column(cell.squeeze(3), w).to(offset.dtype) + offset  # [N, K, 17, 2] (y, x) cells
    return Reading(
        joints_px=(STRIDE * joints.flip(-1)).flatten(0, 1),
        scores=score.flatten(0, 1),
        regressed_px=(STRIDE * start.flip(-1)).flatten(0, 1),
        center_score=_gather(maps.center, cells).sigmoid().view(n * k),
        depths_m=torch.zeros(n * k, JOINTS, device=cells.device),
    )


def _row_and_column(cells: Tensor, width: int) -> Tensor:
    """[..., 2] (y, x) of flat cells; without `%`, which the exporter lacks for a symbolic width."""
    row = cells // width
    return torch.stack([row, cells - row * width], -1)


def _far(y: Tensor, x: Tensor, about: Tensor, width: Tensor) -> Tensor:
    """-log of the Gaussian weight of cells y, x [N, K, 17, W] about a place [N, K, 17, 2];
    width [N, K, 1 or 17, 1] cells."""
    squared = (y - about[..., :1]) ** 2 + (x - about[..., 1:]) ** 2
    return squared / (2 * width**2)


def _gather(map_: Tensor, cells: Tensor) -> Tensor:
    """[N, K, C] columns of [N, C, h, w] at flat cells [N, K]."""
    n, c = map_.shape[:2]
    return torch.gather(map_.flatten(2), 2, cells.unsqueeze(1).expand(n, c, -1)).transpose(1, 2)
