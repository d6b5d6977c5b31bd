"""Weights of the published MoveNet networks, or of our own stages, read from their ONNX files into `MoveNet`."""

from pathlib import Path

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import numpy_helper
from torch import nn

from models.networks.movenet import VARIANTS, MoveNet

_OURS = "network."
"""What the picture network is called inside a stage."""


def load_movenet(variant: str, path: Path) -> MoveNet:
    """The network `variant` with the weights of the ONNX file at `path`.

    Weights find their place by name in files that we exported, and by the order of the convolutions in the published
    ones, which is that of ours.

    Raises:
        ValueError: the file is no network of that variant.
    """
    network = MoveNet(variant)
    graph = onnx.load(path).graph
    ours = _named(graph)
    if ours:
        try:
            network.load_state_dict(ours)
        except RuntimeError as error:
            raise ValueError(f"{path} holds no MoveNet {variant}: {str(error).splitlines()[1].strip()}") from error
        return network
    found, wanted = _convolutions(graph), _in_order(network, VARIANTS[variant].heads)
    if len(found) != len(wanted):
        raise ValueError(f"{path}: {len(found)} convolutions, MoveNet {variant} has {len(wanted)}")
    for index, (arrays, module) in enumerate(zip(found, wanted, strict=True)):
        if module is None:  # a head that we do not use
            continue
        for parameter, array in zip((module.weight, module.bias), arrays, strict=False):
            if parameter is None or parameter.shape != array.shape:
                raise ValueError(f"{path}: convolution {index} is {array.shape}, want {module}")
            parameter.data = torch.from_numpy(array.astype(np.float32))
    return network


def _named(graph: onnx.GraphProto) -> dict[str, torch.Tensor]:
    """The picture network's weights in a stage's file of ours, by their names in `MoveNet`; empty for other files."""
    tensors = {t.name.removesuffix(".half"): t for t in graph.initializer if t.name.startswith(_OURS)}
    return {name.removeprefix(_OURS): torch.from_numpy(numpy_helper.to_array(tensor).astype(np.float32))
            for name, tensor in tensors.items()}


def _convolutions(graph: onnx.GraphProto) -> list[list[NDArray[np.float16]]]:
    """Weight and, where there is one, bias of every convolution, in the order of the graph."""
    stored = {tensor.name: tensor for tensor in graph.initializer}
    behind_cast = {node.output[0]: node.input[0] for node in graph.node if node.op_type == "Cast"}
    return [
        [numpy_helper.to_array(stored[behind_cast.get(name, name)]) for name in node.input[1:]]
        for node in graph.node
        if node.op_type == "Conv"
    ]


def _in_order(network: MoveNet, heads: tuple[str, ...]) -> list[nn.Conv2d | None]:
    """Convolutions in the published order: a tap follows its group's first user, the heads run abreast."""
    order: list[nn.Conv2d | None] = [network.stem]
    for index, group in enumerate(network.groups):
        order += [m for m in group.modules() if isinstance(m, nn.Conv2d)]
        if str(index) in network.taps:
            order.append(network.taps[str(index)])
    order += [network.last, network.top]
    for merge in network.merges:
        order += [merge.depthwise, merge.pointwise]
    branches = [network.heads[name] if name in network.heads else None for name in heads]
    for pick in (lambda b: b[0].depthwise, lambda b: b[0].pointwise, lambda b: b[1]):
        order += [None if branch is None else pick(branch) for branch in branches]
    return order
