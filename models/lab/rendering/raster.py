"""The z-buffer: which triangle is seen at every pixel, and how far away.

One contract, three ways: Numba on the CPU (a thread a frame), one fused Triton kernel on CUDA, plain torch anywhere.
They agree up to ties.
"""

import logging
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from typing import Protocol

import torch
from torch import Tensor

NEAR_M = 0.15
"""Triangles with a corner nearer than this are dropped."""

HOLE = 110
"""Alpha below which a fragment is not there."""

_AGREEMENT = 0.999
"""Share of pixels on which two rasterisers must see the same triangle."""

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class Triangles:
    """T triangles on V projected vertices, of B pictures of `size_px` squared."""

    xyz: Tensor
    """[V, 3] pixels and depth."""
    corners: Tensor
    """[T, 3] int64 vertices."""
    frame: Tensor
    """[T] int64"""
    frames: int
    size_px: int
    layer: Tensor
    """[T] int64 alpha map, -1 solid."""
    uv: Tensor
    """[T, 3, 2]"""
    maps: Tensor
    """[A, S, S] uint8 alpha."""


@dataclass(frozen=True, slots=True, eq=False)
class DepthBuffer:
    """[B, S, S] each."""

    triangle: Tensor
    """int32, -1 nothing."""
    depth: Tensor
    """float32, infinite where there is nothing."""


class Rasterise(Protocol):
    def __call__(self, triangles: Triangles) -> DepthBuffer: ...


def rasterise(triangles: Triangles) -> DepthBuffer:
    """The fastest way that the device has. A compiler is imported when the first picture is drawn."""
    return _fastest(triangles.xyz.device)(triangles)


def _fastest(device: torch.device) -> Rasterise:
    if device.type == "cuda" and find_spec("triton") and _fused_works(device):
        from posecascade.models.lab.rendering import raster_triton

        return raster_triton.rasterise
    if device.type == "cpu" and find_spec("numba"):
        from posecascade.models.lab.rendering import raster_numba

        return raster_numba.rasterise
    from posecascade.models.lab.rendering import raster_torch

    return raster_torch.rasterise


@cache
def _fused_works(device: torch.device) -> bool:
    """Whether the fused kernel sees what plain torch sees, tried once: kernels may compile and still be wrong."""
    from posecascade.models.lab.rendering import raster_torch, raster_triton

    triangles = _scattered(device)
    try:
        seen = raster_triton.rasterise(triangles).triangle
    except Exception as error:  # whatever the compiler raises: there is another way
        _LOG.warning(
            "the fused rasteriser does not run here (%s): rendering with plain torch",
            error,
        )
        return False
    matching = (
        (seen == raster_torch.rasterise(triangles).triangle).float().mean().item()
    )
    if matching < _AGREEMENT:
        _LOG.warning(
            "the fused rasteriser sees %.1f %% as plain torch does: rendering with that",
            100 * matching,
        )
    return matching >= _AGREEMENT


def _scattered(device: torch.device, count: int = 200, size_px: int = 64) -> Triangles:
    """Two pictures of random solid triangles."""
    places = torch.rand(3 * count, 3, generator=torch.Generator().manual_seed(0))
    xyz = (
        places * torch.tensor([size_px, size_px, 4.0]) + torch.tensor([0, 0, NEAR_M])
    ).to(device)
    corners = torch.arange(3 * count, device=device).view(count, 3)
    picture = torch.arange(count, device=device)
    solid = torch.full((count,), -1, device=device)
    uv = torch.zeros(count, 3, 2, device=device)
    maps = torch.zeros(1, 1, 1, dtype=torch.uint8, device=device)
    return Triangles(xyz, corners, picture * 2 // count, 2, size_px, solid, uv, maps)


def empty_keys(triangles: Triangles) -> Tensor:
    """[B * S * S] int64 of (bits of the depth, triangle): the smallest key is the nearest triangle."""
    pixels = triangles.frames * triangles.size_px**2
    return torch.full(
        (pixels,),
        torch.iinfo(torch.int64).max,
        dtype=torch.int64,
        device=triangles.xyz.device,
    )


def from_keys(keys: Tensor, triangles: Triangles) -> DepthBuffer:
    shape = (triangles.frames, triangles.size_px, triangles.size_px)
    empty = keys == torch.iinfo(torch.int64).max
    triangle = torch.where(empty, -1, keys & 0xFFFFFFFF).int()
    depth = torch.where(empty, float("inf"), (keys >> 32).int().view(torch.float32))
    return DepthBuffer(triangle.view(shape), depth.view(shape))
