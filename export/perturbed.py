"""A module with weights changed by about a rounding error: shows which of its outputs rounding decides."""

import copy
from collections.abc import Iterator

import torch
from torch import nn

from posecascade.models.lab.networks.torch_runner import TorchRunner

RELATIVE_CHANGE = 1e-6
"""Standard deviation. Joints move ten times as far (median, all stages) as from torch to onnxruntime, so a tie that
flips there flips here in about every second draw."""

DRAWS = 8


class PerturbedRunners:
    """Runners of `DRAWS` perturbed copies of a module; each copy is made when it is its turn."""

    def __init__(self, module: nn.Module) -> None:
        self._module = module

    def __iter__(self) -> Iterator[TorchRunner]:
        for seed in range(DRAWS):
            yield TorchRunner(perturbed(self._module, seed))


def perturbed(module: nn.Module, seed: int) -> nn.Module:
    """A copy whose weights are each multiplied by 1 plus a little noise."""
    changed = copy.deepcopy(module)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in changed.parameters():
            noise = torch.randn(parameter.shape, generator=generator)
            parameter.mul_(1 + RELATIVE_CHANGE * noise)
    return changed
