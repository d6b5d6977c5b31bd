"""Trunk and landmark heads of BlazePose: a square picture of one person in, their 2D and 3D landmarks out.

MobileNetV2-like blocks down to 8 x 8 cells, separable ones down to 2 x 2, one convolution over what is left. BatchNorm
is folded, and the heatmaps, presence and mask of the published network are left out; weights come from
`pretrained.load_blazepose`.

Source: BlazePose GHUM Holistic, arXiv 2206.11678; BlazePose's public model card.
"""

from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor, nn

from posecascade.models.lab.networks.inverted_residual import InvertedResidual

SIDE_PX = 256
LANDMARKS = 39
"""33 of the body and 6 that only lead the crop of the next frame."""

# kernel, blocks, stride and expansion of the first block; later blocks expand six times
_GROUPS = (
    (3, 1, 1, 1),
    (3, 2, 2, 4),
    (5, 2, 2, 6),
    (3, 3, 2, 6),
    (5, 3, 1, 6),
    (5, 4, 2, 6),
)
_STEM = 24


@dataclass(frozen=True, slots=True)
class Variant:
    """A published member of the family."""

    channels: tuple[int, ...]
    """Of each group."""
    tail: tuple[int, ...]
    """Blocks after each halving from 8 x 8 on."""


VARIANTS = {
    "lite": Variant((8, 16, 24, 40, 56, 96), (2, 3)),
    "full": Variant((16, 24, 32, 64, 88, 144), (4, 5)),
}


def _depthwise(channels: int, kernel: int, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(channels, channels, kernel, stride, kernel // 2, groups=channels)


def _inverted_residual(
    inputs: int, outputs: int, kernel: int, stride: int, expansion: int
) -> InvertedResidual:
    hidden = inputs * expansion
    return InvertedResidual(
        nn.Conv2d(inputs, hidden, 1) if expansion > 1 else None,
        _depthwise(hidden, kernel, stride),
        nn.Conv2d(hidden, outputs, 1),
    )


class _Separable(nn.Module):
    """Depthwise and pointwise beside a shortcut, which is pooled where the block halves."""

    def __init__(self, channels: int, stride: int):
        super().__init__()
        self.depthwise = nn.Conv2d(
            channels, channels, 3, stride, 1 if stride == 1 else 0, groups=channels
        )
        self.pointwise = nn.Conv2d(channels, channels, 1)
        self.halves = stride == 2

    def forward(self, x: Tensor) -> Tensor:
        padded = F.pad(x, (0, 1, 0, 1)) if self.halves else x
        shortcut = F.max_pool2d(x, 2) if self.halves else x
        y = self.pointwise(F.relu6(self.depthwise(padded)))
        return F.relu6(y + shortcut)


class BlazePose(nn.Module):
    """Square pictures of one person each in, their landmarks in space out."""

    def __init__(self, variant: str):
        super().__init__()
        shape = VARIANTS[variant]
        self.stem = nn.Conv2d(3, _STEM, 3, 2, 1)
        trunk = nn.Sequential()
        inputs = _STEM
        for (kernel, blocks, stride, expansion), outputs in zip(
            _GROUPS, shape.channels, strict=True
        ):
            for block in range(blocks):
                first = (stride, expansion) if block == 0 else (1, 6)
                trunk.append(_inverted_residual(inputs, outputs, kernel, *first))
                inputs = outputs
        self.trunk = trunk
        self.widen = nn.Conv2d(inputs, 6 * inputs, 1)
        self.depthwise = nn.ModuleList(
            [_depthwise(6 * inputs, 3), _depthwise(6 * inputs, 3)]
        )
        self.narrow = nn.Conv2d(6 * inputs, 2 * inputs, 1)
        self.tail = nn.Sequential()
        for more in shape.tail:
            self.tail.append(_Separable(2 * inputs, stride=2))
            for _ in range(more):
                self.tail.append(_Separable(2 * inputs, stride=1))
        self.landmarks = nn.Conv2d(2 * inputs, 5 * LANDMARKS, 2)
        self.world = nn.Conv2d(2 * inputs, 3 * LANDMARKS, 2)

    def forward(self, square_rgb: Tensor) -> tuple[Tensor, Tensor]:
        """Landmarks of pictures [N, 3, 256, 256] in 0..1.

        Returns:
            [N, 39, 5] x, y, z in pixels of the square, logits that the landmark can be seen and that it is inside;
            [N, 39, 3] metres (x right, y down, z away) about the middle of the hips.
        """
        x = self.trunk(F.relu6(self.stem(square_rgb)))
        x = F.relu6(self.widen(x))
        for depthwise in self.depthwise:
            x = F.relu6(depthwise(x))
        x = self.tail(F.relu6(self.narrow(x)))
        return (
            self.landmarks(x).flatten(1).unflatten(1, (LANDMARKS, 5)),
            self.world(x).flatten(1).unflatten(1, (LANDMARKS, 3)),
        )
