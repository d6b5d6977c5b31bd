"""The z-buffer on the CPU: a loop over triangles, compiled; one thread a frame."""

import math
from typing import Any

import numpy as np
import torch
from numba import njit, prange

from posecascade.models.lab.rendering.raster import HOLE, NEAR_M, DepthBuffer, Triangles

_NEAR = float(NEAR_M)
_HOLE = int(HOLE)


def rasterise(triangles: Triangles) -> DepthBuffer:
    order = torch.sort(triangles.frame, stable=True).indices
    start = np.searchsorted(
        triangles.frame[order].numpy(), np.arange(triangles.frames + 1)
    ).astype(np.int64)
    shape = (triangles.frames, triangles.size_px, triangles.size_px)
    seen = np.full(shape, -1, np.int32)
    depth = np.full(shape, np.inf, np.float32)
    sorted_columns = (
        triangles.corners[order],
        triangles.layer[order],
        triangles.uv[order],
    )
    corners, layer, uv = (column.contiguous().numpy() for column in sorted_columns)
    _fill(
        triangles.xyz.contiguous().numpy(),
        corners,
        start,
        layer,
        uv,
        triangles.maps.numpy(),
        seen,
        depth,
    )
    found = torch.from_numpy(seen)
    if len(order):
        found = torch.where(found >= 0, order.int()[found.long().clamp_min(0)], found)
    return DepthBuffer(found, torch.from_numpy(depth))


@njit(fastmath=True, cache=True, inline="always")
def _is_hole(uv: Any, maps: Any, layer: int, w0: float, w1: float, w2: float) -> bool:
    """Whether the alpha map has a hole where a triangle's corners weigh `w0`, `w1`, `w2`."""
    side = maps.shape[1]
    u = w0 * uv[0, 0] + w1 * uv[1, 0] + w2 * uv[2, 0]
    v = w0 * uv[0, 1] + w1 * uv[1, 1] + w2 * uv[2, 1]
    row = min(side - 1, max(0, int((1 - v) * side)))
    column = min(side - 1, max(0, int(u * side)))
    return maps[layer, row, column] < _HOLE


@njit(fastmath=True, cache=True)
def _draw(
    xyz: Any,
    corner: Any,
    uv: Any,
    layer: int,
    maps: Any,
    index: int,
    seen: Any,
    depth: Any,
) -> None:
    """One triangle into one picture; scalars, because small arrays cost more here than the arithmetic."""
    x0 = xyz[corner[0], 0]
    y0 = xyz[corner[0], 1]
    z0 = xyz[corner[0], 2]
    x1 = xyz[corner[1], 0]
    y1 = xyz[corner[1], 1]
    z1 = xyz[corner[1], 2]
    x2 = xyz[corner[2], 0]
    y2 = xyz[corner[2], 1]
    z2 = xyz[corner[2], 2]
    area = (x1 - x0) * (y2 - y0) - (x2 - x0) * (y1 - y0)
    if z0 < _NEAR or z1 < _NEAR or z2 < _NEAR or abs(area) < 1e-8:
        return
    left: Any = max(0, np.int64(math.ceil(min(x0, x1, x2) - 0.5)))
    right: Any = np.int64(math.floor(max(x0, x1, x2) - 0.5))
    upper: Any = max(0, np.int64(math.ceil(min(y0, y1, y2) - 0.5)))
    lower: Any = np.int64(math.floor(max(y0, y1, y2) - 0.5))
    scale = 1.0 / area
    r0 = 1 / z0
    r1 = 1 / z1
    r2 = 1 / z2
    for y in range(upper, min(depth.shape[0] - 1, lower) + 1):
        for x in range(left, min(depth.shape[1] - 1, right) + 1):
            px = x + 0.5
            py = y + 0.5
            b0 = ((x1 - px) * (y2 - py) - (x2 - px) * (y1 - py)) * scale
            b1 = ((x2 - px) * (y0 - py) - (x0 - px) * (y2 - py)) * scale
            b2 = 1 - b0 - b1
            if b0 < 0 or b1 < 0 or b2 < 0:
                continue
            z = 1 / (b0 * r0 + b1 * r1 + b2 * r2)
            if z >= depth[y, x]:
                continue
            if layer >= 0 and _is_hole(
                uv, maps, layer, b0 * r0 * z, b1 * r1 * z, b2 * r2 * z
            ):
                continue
            depth[y, x] = z
            seen[y, x] = index


@njit(parallel=True, fastmath=True, cache=True)
def _fill(
    xyz: Any,
    corners: Any,
    start: Any,
    layer: Any,
    uv: Any,
    maps: Any,
    seen: Any,
    depth: Any,
) -> None:
    for frame in prange(seen.shape[0]):
        for index in range(start[frame], start[frame + 1]):
            _draw(
                xyz,
                corners[index],
                uv[index],
                layer[index],
                maps,
                index,
                seen[frame],
                depth[frame],
            )
