"""The z-buffer in plain torch, on any device: the reference for the compiled ones.

Triangles are sorted into classes by the size of their box; each class tests a fixed square of pixels a triangle, and
the survivors fight for the pixel by an integer minimum.
"""

from typing import Final, NamedTuple

import torch
from torch import Tensor

from posecascade.models.lab.rendering.raster import (
    HOLE,
    NEAR_M,
    DepthBuffer,
    Triangles,
    empty_keys,
    from_keys,
)

_SIZES_PX: Final = (2, 4, 8, 16, 32, 64, 128, 256, 512)
_BUDGET: Final = 1 << 24
"""Pixels tested at a time."""


class _Fragments(NamedTuple):
    """N places where a triangle covers the centre of a pixel."""

    triangle: Tensor
    column: Tensor
    row: Tensor
    weights: Tensor
    """[N, 3] of the corners in the picture, not in space."""


class _Boxes(NamedTuple):
    """Of T triangles, in the picture."""

    low: Tensor
    high: Tensor
    size: Tensor
    """0 where nothing is to be drawn."""
    area: Tensor


def rasterise(triangles: Triangles) -> DepthBuffer:
    keys, points = empty_keys(triangles), triangles.xyz[triangles.corners]  # [T, 3, 3]
    boxes = _boxes(points, triangles.size_px)
    done = 0
    for size in _SIZES_PX:
        last = size == _SIZES_PX[-1]
        chosen = torch.nonzero(
            (boxes.size > done) & ((boxes.size <= size) | last)
        ).flatten()
        done = size
        for some in chosen.split(max(1, _BUDGET // size**2)):
            if len(some):
                side = int(boxes.size[some].max()) if last else size
                _draw(triangles, points, _fragments(points, boxes, some, side), keys)
    return from_keys(keys, triangles)


def _boxes(points: Tensor, size_px: int) -> _Boxes:
    low = torch.ceil(points[..., :2].amin(1) - 0.5).clamp_min(0)
    high = torch.floor(points[..., :2].amax(1) - 0.5).clamp_max(size_px - 1)
    extent = high - low + 1
    a = points[:, 1, :2] - points[:, 0, :2]
    b = points[:, 2, :2] - points[:, 0, :2]
    area = a[:, 0] * b[:, 1] - b[:, 0] * a[:, 1]
    good = (extent > 0).all(1) & (points[..., 2].amin(1) > NEAR_M) & (area.abs() > 1e-8)
    return _Boxes(low, high, torch.where(good, extent.amax(1), 0), area)


def _fragments(points: Tensor, boxes: _Boxes, some: Tensor, side: int) -> _Fragments:
    """Where triangles `some` cover pixel centres within squares of `side` pixels."""
    step = torch.arange(side, device=some.device, dtype=torch.float32) + 0.5
    x, y = (boxes.low[some, axis, None] + step for axis in (0, 1))
    x = x[:, None, :]
    y = y[:, :, None]
    corner_x = points[some, :, 0][..., None, None]
    corner_y = points[some, :, 1][..., None, None]
    dx = (corner_x - x[:, None]).unbind(1)
    dy = (corner_y - y[:, None]).unbind(1)
    scale = 1 / boxes.area[some][:, None, None]
    first = (dx[1] * dy[2] - dx[2] * dy[1]) * scale
    second = (dx[2] * dy[0] - dx[0] * dy[2]) * scale
    inside = (first >= 0) & (second >= 0) & (first + second <= 1)
    inside &= (x < boxes.high[some, 0, None, None] + 1) & (
        y < boxes.high[some, 1, None, None] + 1
    )
    which, row, column = torch.nonzero(inside, as_tuple=True)
    a = first[which, row, column]
    b = second[which, row, column]
    triangle = some[which]
    low = boxes.low[triangle].long()
    return _Fragments(
        triangle, low[:, 0] + column, low[:, 1] + row, torch.stack([a, b, 1 - a - b], 1)
    )


def _draw(
    triangles: Triangles, points: Tensor, fragments: _Fragments, keys: Tensor
) -> None:
    weights = fragments.weights / points[fragments.triangle][..., 2]
    depth = 1 / weights.sum(1)
    pixel = triangles.frame[fragments.triangle] * triangles.size_px + fragments.row
    pixel = pixel * triangles.size_px + fragments.column
    key = (depth.contiguous().view(torch.int32).long() << 32) | fragments.triangle
    solid = _solid(triangles, fragments.triangle, weights * depth[:, None])
    keys.scatter_reduce_(0, pixel[solid], key[solid], "amin")


def _solid(triangles: Triangles, triangle: Tensor, weights: Tensor) -> Tensor:
    """[N] whether the alpha maps let the fragments stand; `weights` [N, 3] in space."""
    side = triangles.maps.shape[1]
    layer = triangles.layer[triangle]
    u, v = (weights[..., None] * triangles.uv[triangle]).sum(1).unbind(1)
    row = ((1 - v) * side).long().clamp(0, side - 1)
    column = (u * side).long().clamp(0, side - 1)
    return (layer < 0) | (triangles.maps[layer.clamp_min(0), row, column] >= HOLE)
