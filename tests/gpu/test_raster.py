"""The fused kernel against plain torch, where there is a GPU to run it."""

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("triton", reason="Triton is not installed")
if not torch.cuda.is_available():
    pytest.skip("no CUDA device", allow_module_level=True)

from posecascade.models.lab.rendering import raster_torch, raster_triton  # noqa: E402 - after the check for a device
from tests.models.lab.rendering.triangles import random_triangles  # noqa: E402


@pytest.mark.parametrize(("count", "size_px"), [(1, 16), (500, 128), (4000, 512)])
def test_the_fused_kernel_sees_what_torch_sees(count: int, size_px: int):
    triangles = random_triangles(
        seed=count, count=count, frames=4, size_px=size_px, device="cuda"
    )
    one = raster_triton.rasterise(triangles)
    other = raster_torch.rasterise(triangles)
    both = (one.triangle >= 0) & (other.triangle >= 0)

    assert (one.triangle == other.triangle).float().mean() > 0.999
    torch.testing.assert_close(one.depth[both], other.depth[both], rtol=1e-4, atol=1e-4)
