"""Runs a stage's torch module as a runner: to compare the exported files with it, or variants of it with each other."""

from typing import Any

import torch
from numpy.typing import NDArray
from torch import nn

from posecascade.models.runners import Arrays


class TorchRunner:
    """The module on the CPU."""

    provider = "torch"

    def __init__(self, module: nn.Module) -> None:
        self._network = module.eval()

    def run(self, batch: Arrays) -> dict[str, NDArray[Any]]:
        """Outputs [N, ...] for inputs [N, ...]."""
        with torch.inference_mode():
            outputs = self._network(
                **{name: torch.from_numpy(array) for name, array in batch.items()}
            )
        return {name: value.numpy() for name, value in outputs.items()}

    def close(self) -> None:
        """Holds nothing that needs freeing."""
