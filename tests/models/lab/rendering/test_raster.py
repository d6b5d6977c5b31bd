"""The rasterisers keep one contract: the nearest triangle at every pixel, holes cut out."""

import math

import pytest
import torch

from posecascade.models.lab.rendering import raster_numba, raster_torch
from posecascade.models.lab.rendering.raster import NEAR_M, Rasterise, Triangles
from tests.models.lab.rendering.triangles import random_triangles, solid

WAYS = pytest.mark.parametrize(
    "rasterise",
    [raster_numba.rasterise, raster_torch.rasterise],
    ids=["numba", "torch"],
)


def test_numba_and_torch_see_the_same():
    triangles = random_triangles(seed=1, count=150, frames=3, size_px=48)
    one = raster_numba.rasterise(triangles)
    other = raster_torch.rasterise(triangles)
    both = (one.triangle >= 0) & (other.triangle >= 0)

    assert (one.triangle == other.triangle).float().mean() > 0.999
    torch.testing.assert_close(one.depth[both], other.depth[both], rtol=1e-4, atol=1e-4)


@WAYS
def test_the_nearer_triangle_hides_the_other(rasterise: Rasterise):
    """Both cover the whole picture; the second is nearer."""
    seen = rasterise(
        solid(
            [
                [-99, -99, 4],
                [99, -99, 4],
                [0, 99, 4],
                [-99, -99, 2],
                [99, -99, 2],
                [0, 99, 2],
            ],
            8,
        )
    )

    assert (seen.triangle == 1).all()
    assert (seen.depth - 2).abs().max() < 1e-5


@WAYS
def test_a_pixel_is_seen_when_its_middle_is_covered(rasterise: Rasterise):
    """The triangle's corner is at (3, 3): the pixel whose middle is (2.5, 2.5) is out, (3.5, 3.5) is in."""
    seen = rasterise(solid([[3, 3, 1], [8, 3, 1], [3, 8, 1]], 8)).triangle[0]

    assert seen[3, 3] == 0
    assert seen[2, 2] == -1
    assert seen[7, 7] == -1


@WAYS
def test_depth_is_of_space_not_of_the_picture(rasterise: Rasterise):
    """Half of the way across the picture from depth 1 to 3, the inverse depth is the mean: 1.5 m."""
    seen = rasterise(solid([[0.5, 0, 1], [8.5, 0, 3], [0.5, 16, 1]], 16))

    assert seen.depth[0, 0, 4] == pytest.approx(1 / (0.5 / 1 + 0.5 / 3), rel=1e-4)


@WAYS
def test_what_is_nearer_than_the_near_plane_is_dropped(rasterise: Rasterise):
    seen = rasterise(solid([[-99, -99, 4], [99, -99, NEAR_M * 0.9], [0, 99, 4]], 8))

    assert (seen.triangle == -1).all()
    assert (seen.depth == math.inf).all()


@WAYS
def test_holes_show_what_is_behind(rasterise: Rasterise):
    """The left half of the alpha map is a hole; u runs to the right."""
    square = [[0, 0, 2], [8, 0, 2], [8, 8, 2], [0, 0, 2], [8, 8, 2], [0, 8, 2]]
    uv = torch.tensor(
        [[[0, 1], [1, 1], [1, 0]], [[0, 1], [1, 0], [0, 0]]], dtype=torch.float32
    )
    maps = torch.full((1, 4, 4), 255, dtype=torch.uint8)
    maps[:, :, :2] = 0
    cut = solid(square, 8)
    cut = Triangles(
        cut.xyz,
        cut.corners,
        cut.frame,
        1,
        8,
        torch.zeros(2, dtype=torch.int64),
        uv,
        maps,
    )
    seen = rasterise(cut).triangle[0]

    assert (seen[:, :4] == -1).all()
    assert (seen[:, 4:] >= 0).all()


@WAYS
def test_no_triangles_leave_nothing(rasterise: Rasterise):
    empty = solid([], 4)

    assert (rasterise(empty).triangle == -1).all()
