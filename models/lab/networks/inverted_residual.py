"""The block that MoveNet and BlazePose are built of: expand, depthwise convolution, project (arXiv 1801.04381)."""

import torch.nn.functional as F
from torch import Tensor, nn


class InvertedResidual(nn.Module):
    """Three convolutions, ReLU6 behind the first two, and a shortcut where nothing changes shape."""

    def __init__(
        self, expand: nn.Conv2d | None, depthwise: nn.Conv2d, project: nn.Conv2d
    ):
        super().__init__()
        self.expand = expand
        self.depthwise = depthwise
        self.project = project
        inputs = (depthwise if expand is None else expand).in_channels
        self.residual = depthwise.stride[0] == 1 and inputs == project.out_channels

    def forward(self, x: Tensor) -> Tensor:
        widened = x if self.expand is None else F.relu6(self.expand(x))
        y: Tensor = self.project(F.relu6(self.depthwise(widened)))
        return x + y if self.residual else y
