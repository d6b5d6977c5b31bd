"""What JPEG does to a picture: 8x8 blocks of the discrete cosine transform, quantised; chroma at half resolution.

Source: ITU-T T.81, tables K.1 and K.2, scaled by quality as libjpeg does.
"""

import math
from typing import Final

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, interpolate

_LUMA: Final = (
    16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55, 14, 13, 16, 24, 40, 57, 69, 56,
    14, 17, 22, 29, 51, 87, 80, 62, 18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92,
    49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99,
)  # fmt: skip
_CHROMA: Final = (
    17, 18, 24, 47, 99, 99, 99, 99, 18, 21, 26, 66, 99, 99, 99, 99,
    24, 26, 56, 99, 99, 99, 99, 99, 47, 66, 99, 99, 99, 99, 99, 99, *(99,) * 32,
)  # fmt: skip
_YCC: Final = (
    (0.299, 0.587, 0.114),
    (-0.168736, -0.331264, 0.5),
    (0.5, -0.418688, -0.081312),
)
_UNTOUCHED: Final = 99.5


def _transform() -> list[list[float]]:
    """[8, 8] of the cosine transform."""
    scale = [1 / math.sqrt(8)] + [0.5] * 7
    return [
        [scale[k] * math.cos((2 * n + 1) * k * math.pi / 16) for n in range(8)]
        for k in range(8)
    ]


def coded(image: Tensor, quality: Tensor) -> Tensor:
    """[B, 3, S, S] in 0..1 as after JPEG of `quality` [B]; 100 leaves a frame alone, as does a size not in sixteens."""
    which = torch.nonzero(quality < _UNTOUCHED).flatten()
    size = image.shape[-1]
    if not len(which) or size % 16:
        return image
    to_ycc = image.new_tensor(_YCC)
    wanted = quality[which]
    coarseness = torch.where(wanted < 50, 5000 / wanted, 200 - 2 * wanted) / 100
    ycc = torch.einsum("ij,bjhw->bihw", to_ycc, image[which] * 255)
    luma = _quantised(ycc[:, :1].contiguous() - 128, _LUMA, coarseness) + 128
    chroma = _quantised(avg_pool2d(ycc[:, 1:], 2), _CHROMA, coarseness)
    decoded = torch.cat([luma, interpolate(chroma, size=size, mode="bilinear")], 1)
    image = image.clone()
    rgb = torch.einsum("ij,bjhw->bihw", torch.linalg.inv(to_ycc), decoded)
    image[which] = (rgb / 255).clamp(0, 1)
    return image


def _quantised(plane: Tensor, table: tuple[int, ...], coarseness: Tensor) -> Tensor:
    """[B, C, S, S] with the coefficients of its blocks rounded to the table."""
    dct = plane.new_tensor(_transform())
    step = (
        (plane.new_tensor(table).view(8, 8) * coarseness[:, None, None])
        .round()
        .clamp(1, 255)
    )
    step = step[:, None, None, None]
    count, channels, size, _ = plane.shape
    blocks = plane.view(count, channels, size // 8, 8, size // 8, 8).permute(
        0, 1, 2, 4, 3, 5
    )
    blocks = dct.T @ ((dct @ blocks @ dct.T / step).round() * step) @ dct
    return blocks.permute(0, 1, 2, 4, 3, 5).reshape(count, channels, size, size)
