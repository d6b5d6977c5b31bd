"""The z-buffer on CUDA: one launch for a whole batch, one program a triangle, a 64-bit atomic minimum a pixel.

Checked against `raster_torch` in Triton's interpreter (TRITON_INTERPRET=1), where it draws identical buffers.
"""

from typing import Any, Final

import triton
import triton.language as tl

from posecascade.models.lab.rendering.raster import (
    HOLE,
    NEAR_M,
    DepthBuffer,
    Triangles,
    empty_keys,
    from_keys,
)

_BLOCK: Final = 64
"""Pixels a program tests at a time."""


def rasterise(triangles: Triangles) -> DepthBuffer:
    keys = empty_keys(triangles)
    count = len(triangles.corners)
    if count:
        columns = (
            triangles.xyz,
            triangles.corners,
            triangles.frame,
            triangles.layer,
            triangles.uv,
            triangles.maps,
        )
        _fill[(count,)](
            *(column.contiguous() for column in columns),
            keys,
            triangles.size_px,
            triangles.maps.shape[1],
            NEAR_M,
            HOLE=HOLE,
            BLOCK=_BLOCK,
            num_warps=1,
        )
    return from_keys(keys, triangles)


@triton.jit  # type: ignore[untyped-decorator]  # triton has no types
def _first(a: Any, b: Any, c: Any, size: Any) -> Any:
    """First pixel whose centre may lie within; far corners are cut, so that the cast to int stays in range."""
    low = tl.maximum(tl.minimum(tl.minimum(a, b), c), -1.0e6)
    return tl.maximum(tl.ceil(low - 0.5), 0.0).to(tl.int32)


@triton.jit  # type: ignore[untyped-decorator]
def _last(a: Any, b: Any, c: Any, size: Any) -> Any:
    high = tl.minimum(tl.maximum(tl.maximum(a, b), c), 1.0e6)
    return tl.minimum(tl.floor(high - 0.5), size - 1.0).to(tl.int32)


@triton.jit  # type: ignore[untyped-decorator]
def _texel(value: Any, side: Any) -> Any:
    return tl.minimum(tl.maximum((value * side).to(tl.int32), 0), side - 1)


@triton.jit  # type: ignore[untyped-decorator]
def _fill(
    xyz: Any, corners: Any, frame: Any, layer: Any, uv: Any, maps: Any, keys: Any, size: Any, side: Any, near: Any,
    HOLE: tl.constexpr, BLOCK: tl.constexpr,
) -> None:  # fmt: skip
    t = tl.program_id(0)
    i0 = tl.load(corners + 3 * t) * 3
    i1 = tl.load(corners + 3 * t + 1) * 3
    i2 = tl.load(corners + 3 * t + 2) * 3
    x0 = tl.load(xyz + i0)
    y0 = tl.load(xyz + i0 + 1)
    z0 = tl.load(xyz + i0 + 2)
    x1 = tl.load(xyz + i1)
    y1 = tl.load(xyz + i1 + 1)
    z1 = tl.load(xyz + i1 + 2)
    x2 = tl.load(xyz + i2)
    y2 = tl.load(xyz + i2 + 1)
    z2 = tl.load(xyz + i2 + 2)
    area = (x1 - x0) * (y2 - y0) - (x2 - x0) * (y1 - y0)
    left = _first(x0, x1, x2, size)
    right = _last(x0, x1, x2, size)
    upper = _first(y0, y1, y2, size)
    lower = _last(y0, y1, y2, size)
    good = (
        (tl.minimum(tl.minimum(z0, z1), z2) > near)
        & (tl.abs(area) > 1e-8)
        & (right >= left)
        & (lower >= upper)
    )
    width = tl.where(good, right - left + 1, 0)
    pixels = tl.where(good, width * (lower - upper + 1), 0)
    width = tl.maximum(width, 1)
    scale = 1.0 / tl.where(good, area, 1.0)
    r0 = 1.0 / tl.where(good, z0, 1.0)
    r1 = 1.0 / tl.where(good, z1, 1.0)
    r2 = 1.0 / tl.where(good, z2, 1.0)
    alpha = tl.load(layer + t)
    base = tl.load(frame + t) * size * size
    u0 = tl.load(uv + 6 * t)
    u1 = tl.load(uv + 6 * t + 2)
    u2 = tl.load(uv + 6 * t + 4)
    v0 = tl.load(uv + 6 * t + 1)
    v1 = tl.load(uv + 6 * t + 3)
    v2 = tl.load(uv + 6 * t + 5)
    for offset in range(0, pixels, BLOCK):
        k = offset + tl.arange(0, BLOCK)
        x = left + k % width
        y = upper + k // width
        px = x.to(tl.float32) + 0.5
        py = y.to(tl.float32) + 0.5
        b0 = ((x1 - px) * (y2 - py) - (x2 - px) * (y1 - py)) * scale
        b1 = ((x2 - px) * (y0 - py) - (x0 - px) * (y2 - py)) * scale
        b2 = 1.0 - b0 - b1
        hit = (k < pixels) & (b0 >= 0) & (b1 >= 0) & (b2 >= 0)
        z = 1.0 / tl.where(hit, b0 * r0 + b1 * r1 + b2 * r2, 1.0)
        u = (b0 * r0 * u0 + b1 * r1 * u1 + b2 * r2 * u2) * z
        v = (b0 * r0 * v0 + b1 * r1 * v1 + b2 * r2 * v2) * z
        texel = (tl.maximum(alpha, 0) * side + _texel(1.0 - v, side)) * side + _texel(
            u, side
        )
        solid = tl.load(maps + texel, mask=hit, other=255)
        hit = (hit & ((solid.to(tl.int32) >= HOLE) | (alpha < 0))) != 0
        key = (z.to(tl.int32, bitcast=True).to(tl.int64) << 32) | t
        tl.atomic_min(keys + base + y * size + x, key, mask=hit)
