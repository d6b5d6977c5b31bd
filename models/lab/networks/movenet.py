"""The picture network of every stage: MobileNetV2 with a feature pyramid and CenterNet heads.

One architecture, three widths: MoveNet MultiPose (1.5), Lightning (1.0) and Thunder (1.75). The weights come from the
published networks (`pretrained.py`); BatchNorm is folded, so a convolution has a bias and nothing else.

Sources: MobileNetV2, arXiv 1801.04381; CenterNet, arXiv 1904.07850; MoveNet's public model card.
"""

from dataclasses import dataclass
from typing import NamedTuple

import torch.nn.functional as F
from torch import Tensor, nn

from posecascade.models.lab.networks.inverted_residual import InvertedResidual

# expansion, channels, blocks, stride of the first block (MobileNetV2, table 2)
BLOCKS = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)
TAPS = {1: 24, 2: 32, 3: 64}
"""Pyramid channels taken after these groups of blocks: strides 4, 8 and 16."""

STRIDE = 4
FINE, DEEP = 24, 64
"""Channels of the pyramid at its finest and at its deepest level."""


class Maps(NamedTuple):
    """Outputs of the picture network, dense over the picture; h, w are a quarter of the input's."""

    center: Tensor
    """[N, 1, h, w] logit that a person's centre lies in the cell."""
    regress: Tensor
    """[N, 34, h, w] (dy, dx) per COCO joint, from this cell, in cells."""
    heatmaps: Tensor
    """[N, 17, h, w] logits."""
    offsets: Tensor
    """[N, 34, h, w] (dy, dx) per joint, from this cell to the joint, in cells."""


@dataclass(frozen=True, slots=True)
class Variant:
    """A published member of the family."""

    width: float
    heads: tuple[str, ...]
    """In the order in which the published graph computes them."""


VARIANTS = {
    "multipose": Variant(
        1.5, ("center", "box_scale", "box_offset", "heatmaps", "regress", "offsets")
    ),
    "lightning": Variant(1.0, ("center", "regress", "heatmaps", "offsets")),
    "thunder": Variant(1.75, ("center", "regress", "heatmaps", "offsets")),
}

HEAD_CHANNELS = {
    "center": 1,
    "regress": 34,
    "heatmaps": 17,
    "offsets": 34,
    "box_scale": 2,
    "box_offset": 2,
}


def _channels(base: int, width: float) -> int:
    scaled = max(8, int(base * width + 4) // 8 * 8)
    return scaled + 8 if scaled < 0.9 * base * width else scaled


class _Conv(nn.Conv2d):
    """Convolution with TensorFlow's SAME padding: at stride 2 the extra row and column lie right and below."""

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: int = 1,
        stride: int = 1,
        groups: int = 1,
        bias: bool = True,
    ):
        super().__init__(
            inputs,
            outputs,
            kernel,
            stride,
            kernel // 2 if stride == 1 else 0,
            groups=groups,
            bias=bias,
        )

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(F.pad(x, (0, 1, 0, 1)) if self.stride[0] == 2 else x)


def _inverted_residual(
    inputs: int, outputs: int, stride: int, expansion: int
) -> InvertedResidual:
    hidden = inputs * expansion
    return InvertedResidual(
        _Conv(inputs, hidden) if expansion > 1 else None,
        _Conv(hidden, hidden, 3, stride, groups=hidden),
        _Conv(hidden, outputs),
    )


class _Separable(nn.Module):
    """Depthwise and pointwise convolution, then ReLU."""

    def __init__(self, inputs: int, outputs: int):
        super().__init__()
        self.depthwise = _Conv(inputs, inputs, 3, groups=inputs, bias=False)
        self.pointwise = _Conv(inputs, outputs)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.pointwise(self.depthwise(x)))


class MoveNet(nn.Module):
    """Picture in, dense maps out."""

    def __init__(self, variant: str):
        super().__init__()
        width = VARIANTS[variant].width
        channels = _channels(32, width)
        self.stem = _Conv(3, channels, 3, 2)
        self.groups = nn.ModuleList()
        self.taps = nn.ModuleDict()
        for index, (expansion, base, count, stride) in enumerate(BLOCKS):
            group = nn.Sequential()
            for block in range(count):
                outputs = _channels(base, width)
                step = stride if block == 0 else 1
                group.append(_inverted_residual(channels, outputs, step, expansion))
                channels = outputs
            self.groups.append(group)
            if index in TAPS:
                self.taps[str(index)] = _Conv(channels, TAPS[index])
        self.last = _Conv(channels, 1280)
        self.top = _Conv(1280, DEEP)
        self.merges = nn.ModuleList(
            [_Separable(64, 32), _Separable(32, 24), _Separable(24, FINE)]
        )
        self.heads = nn.ModuleDict()
        for name in ("center", "regress", "heatmaps", "offsets"):
            features = _Separable(FINE, 96)
            last = _Conv(96, HEAD_CHANNELS[name])
            self.heads[name] = nn.Sequential(features, last)

    def forward(self, image_bgr: Tensor) -> Maps:
        """Dense maps of uint8 pictures [N, H, W, 3], H and W multiples of 32."""
        # The cast comes first: TensorRT lets nothing else touch bytes.
        picture = image_bgr.to(self.stem.weight.dtype).permute(0, 3, 1, 2)
        rgb = picture.flip(1) / 127.5 - 1  # [N, 3, H, W]
        x = F.relu6(self.stem(rgb))
        taps: list[Tensor] = []
        for index, group in enumerate(self.groups):
            x = group(x)
            if index in TAPS:
                taps.append(self.taps[str(index)](x))
        x = self.top(F.relu6(self.last(x)))
        for merge, tap in zip(self.merges, reversed(taps), strict=True):
            x = merge(F.interpolate(x, scale_factor=2.0, mode="bilinear") + tap)
        return Maps(**{name: head(x) for name, head in self.heads.items()})
