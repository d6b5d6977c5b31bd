"""Triangles to rasterise, made by hand or from a seed."""

from collections.abc import Sequence

import torch

from posecascade.models.lab.rendering.raster import Triangles


def solid(
    corners: Sequence[Sequence[float]], size_px: int, device: str = "cpu"
) -> Triangles:
    """One picture of triangles without holes: three rows of (x, y, depth) each."""
    count = len(corners) // 3
    xyz = torch.tensor(corners, dtype=torch.float32, device=device).reshape(-1, 3)
    return Triangles(
        xyz=xyz,
        corners=torch.arange(3 * count, device=device).view(count, 3),
        frame=torch.zeros(count, dtype=torch.int64, device=device),
        frames=1,
        size_px=size_px,
        layer=torch.full((count,), -1, dtype=torch.int64, device=device),
        uv=torch.zeros(count, 3, 2, device=device),
        maps=torch.zeros(1, 1, 1, dtype=torch.uint8, device=device),
    )


def random_triangles(
    seed: int, count: int, frames: int, size_px: int, device: str = "cpu"
) -> Triangles:
    """Small and large triangles in and out of the pictures, one in three with an alpha map full of holes."""
    generator = torch.Generator().manual_seed(seed)

    def draw(*shape: int) -> torch.Tensor:
        return torch.rand(shape, generator=generator)

    middle = draw(count, 1, 2) * size_px * 1.2 - 0.1 * size_px
    reach = draw(count, 1, 1) ** 3 * size_px
    places = middle + (draw(count, 3, 2) - 0.5) * 2 * reach
    xyz = torch.cat([places, 0.05 + 5 * draw(count, 3, 1)], 2).reshape(-1, 3)
    layer = torch.where(draw(count) < 1 / 3, (draw(count) * 2).long(), -1)
    frame = (draw(count) * frames).long().sort().values
    columns = (
        xyz,
        torch.arange(3 * count).view(count, 3),
        frame,
        layer,
        draw(count, 3, 2) * 2 - 0.5,
        (draw(2, 16, 16) * 256).byte(),
    )
    xyz, corners, frame, layer, uv, maps = (column.to(device) for column in columns)
    return Triangles(xyz, corners, frame, frames, size_px, layer, uv, maps)
