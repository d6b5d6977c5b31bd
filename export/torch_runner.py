"""Runs a stage's torch module as a runner, to compare the exported files with."""

from typing import Any, cast

import torch
from numpy.typing import NDArray
from torch import nn

from export.to_onnx import StageModule
from models.runners import Arrays


class TorchRunner:
    """The module on the CPU."""

    provider = "torch"

    def __init__(self, module: StageModule) -> None:
        self._network = cast(nn.Module, module).eval()

    def run(self, batch: Arrays) -> dict[str, NDArray[Any]]:
        """Outputs [N, ...] for inputs [N, ...]."""
        with torch.inference_mode():
            outputs = self._network(**{name: torch.from_numpy(array) for name, array in batch.items()})
        return {name: value.numpy() for name, value in outputs.items()}

    def close(self) -> None:
        """Holds nothing that needs freeing."""
