"""Decoding of the dense maps: 2D joints of each person, with scores."""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from posecascade.models.lab.networks.movenet import STRIDE, Maps
from posecascade.models.skeleton import JOINTS

READ_JOINTS = 17
"""COCO's joints, which the picture network was trained on."""

_WINDOW = 8
"""Cells searched to each side of the regressed joint, in steps that grow with the person."""


class Reading(NamedTuple):
    """2D joints of M people, read in the picture."""

    joints_px: Tensor
    """[M, 17, 2] (x, y) at the heatmaps' peaks, in pixels of the network's input."""
    scores: Tensor
    """[M, 17] heatmap probability at the peak."""
    regressed_px: Tensor
    """[M, 17, 2] the same joints as the centre regresses them: a second estimate that sees through occlusion."""
    center_score: Tensor
    """[M] probability that a person's centre is there."""
    depths_m: Tensor
    """[M, 25] of the joints of cascade25 relative to the pelvis, away from the camera; 0 where no depth was read."""


def peaks(center: Tensor, slots: int) -> Tensor:
    """Flat cell indices [N, slots] of the strongest local maxima of the logits `center` [N, 1, h, w]."""
    local = F.max_pool2d(center, 5, 1, 2)
    maxima = torch.where(center >= local, center, torch.full_like(center, -30.0))
    return torch.topk(maxima.flatten(1), slots, dim=1).indices


def regressed(maps: Maps, cells: Tensor) -> Tensor:
    """[N, K, 17, 2] joints as (y, x) in cells, as the flat cells [N, K] regress them."""
    width = maps.center.shape[3]
    columns = _gather(maps.regress, cells)
    offsets: Tensor = columns.unflatten(2, (READ_JOINTS, 2))  # [N, K, 17, 2]
    origin = _row_and_column(cells, width)  # [N, K, 2]
    return offsets + origin.unsqueeze(2).to(offsets.dtype)


def extent(joints: Tensor) -> Tensor:
    """[..., 1, 1] size of bodies [..., J, 2]: geometric mean of the sides of the box round them, at least 4."""
    sides = joints.amax(-2) - joints.amin(-2)
    return (sides + 1.0).prod(-1).sqrt().clamp_min(4.0)[..., None, None]


def read(
    maps: Maps,
    cells: Tensor,
    guides: tuple[Tensor, ...] = (),
    guide_widths: tuple[Tensor, ...] = (),
) -> Reading:
    """The people whose centres lie in `cells` [N, K].

    Each joint is the heatmap's best cell in a window about its regressed place, plus that cell's sub-cell offset. The
    heat is weighted by a Gaussian about the regressed place and about each guide.

    Args:
        maps: of N pictures.
        cells: flat indices.
        guides: other estimates of the joints, [N, K, 17, 2] as (y, x) in cells.
        guide_widths: standard deviations of the guides, [N, K, 17] in cells.
    """
    count = cells.numel()
    height, width = maps.center.shape[2:]
    start = regressed(maps, cells)  # [N, K, 17, 2]
    size = extent(start)  # [N, K, 1, 1]
    y, x = _window(start, size, height, width)  # [N, K, 17, 289]
    flat = (y * width + x).long()
    heat = _at_cells(maps.heatmaps, flat, height * width)  # logits
    # Compared as logarithms: far from every joint the products themselves vanish, and which runtime rounds them to
    # nothing first would decide. softplus and not logsigmoid, which exports as the log of a sigmoid.
    log_weight = -F.softplus(-heat)
    log_weight = log_weight - _squared(y, x, start, (0.12 * size).clamp_min(2.5))
    for guide, guide_width in zip(guides, guide_widths, strict=True):
        log_weight = log_weight - _squared(y, x, guide, guide_width.unsqueeze(3))
    best = log_weight.argmax(3, keepdim=True)  # [N, K, 17, 1]
    cell = torch.gather(flat, 3, best)
    score = torch.gather(heat, 3, best).squeeze(3).sigmoid()  # [N, K, 17]
    offset = _offsets_at(maps.offsets, cell, height * width)
    place = _row_and_column(cell.squeeze(3), width).to(offset.dtype)
    joints = place + offset  # [N, K, 17, 2] (y, x) cells
    return Reading(
        joints_px=(STRIDE * joints.flip(-1)).flatten(0, 1),
        scores=score.flatten(0, 1),
        regressed_px=(STRIDE * start.flip(-1)).flatten(0, 1),
        center_score=_gather(maps.center, cells).sigmoid().view(count),
        depths_m=torch.zeros(count, JOINTS, device=cells.device),
    )


def _window(
    about: Tensor, size: Tensor, height: int, width: int
) -> tuple[Tensor, Tensor]:
    """Rows and columns [N, K, 17, 289] of the cells searched about places [N, K, 17, 2]."""
    step = (0.25 / _WINDOW * size).clamp_min(1.0)
    line = torch.arange(-_WINDOW, _WINDOW + 1, device=about.device, dtype=about.dtype)
    rows_columns = torch.meshgrid(line, line, indexing="ij")
    grid = torch.stack(rows_columns, -1).flatten(0, 1)  # [289, 2]
    place = (about.unsqueeze(3) + grid * step.unsqueeze(3)).round()
    y = place[..., 0].clamp(0, height - 1)
    x = place[..., 1].clamp(0, width - 1)
    return y, x


def _at_cells(heatmaps: Tensor, cells: Tensor, area: int) -> Tensor:
    """Values [N, K, 17, W] of each joint's own map [N, 17, h, w] at flat cells [N, K, 17, W]."""
    joints = torch.arange(READ_JOINTS, device=cells.device).view(1, 1, -1, 1)
    index = (cells + joints * area).flatten(1)
    return torch.gather(heatmaps.flatten(1), 1, index).view(cells.shape)


def _offsets_at(offsets: Tensor, cell: Tensor, area: int) -> Tensor:
    """[N, K, 17, 2] (dy, dx) of each joint's own two maps [N, 34, h, w] at its flat cell [N, K, 17, 1]."""
    joints = torch.arange(READ_JOINTS, device=cell.device).view(1, 1, -1, 1)
    channel = 2 * joints * area
    both = torch.cat([cell + channel, cell + channel + area], 3)
    return torch.gather(offsets.flatten(1), 1, both.flatten(1)).view(both.shape)


def _row_and_column(cells: Tensor, width: int) -> Tensor:
    """[..., 2] (y, x) of flat cells; without `%`, which the exporter lacks for a symbolic width."""
    row = cells // width
    return torch.stack([row, cells - row * width], -1)


def _squared(y: Tensor, x: Tensor, about: Tensor, width: Tensor) -> Tensor:
    """-log of the Gaussian weight of cells y, x [N, K, 17, W] about a place [N, K, 17, 2];
    width [N, K, 1 or 17, 1] cells."""
    squared = (y - about[..., :1]) ** 2 + (x - about[..., 1:]) ** 2
    return squared / (2 * width**2)


def _gather(map_: Tensor, cells: Tensor) -> Tensor:
    """[N, K, C] columns of [N, C, h, w] at flat cells [N, K]."""
    n, c = map_.shape[:2]
    return torch.gather(
        map_.flatten(2), 2, cells.unsqueeze(1).expand(n, c, -1)
    ).transpose(1, 2)
