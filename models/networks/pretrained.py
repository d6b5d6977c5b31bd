"""Weights of published networks, or of our own stages, read from their ONNX files into ours."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import numpy_helper
from torch import nn

from models.networks.blazepose import BlazePose
from models.networks.movenet import VARIANTS, MoveNet

_PICTURE, _UPRIGHT = "network.", "upright.network."
"""What the networks are called inside a stage."""


def load_movenet(variant: str, path: Path) -> MoveNet:
    """The network `variant` with the weights of the ONNX file at `path`.

    Weights find their place by name in files that we exported, and by the order of the convolutions in the published
    ones, which is that of ours.

    Raises:
        ValueError: the file is no network of that variant.
    """
    network = MoveNet(variant)
    graph = onnx.load(path).graph
    in_order = _in_order(network, VARIANTS[variant].heads)
    _restore(network, _PICTURE, graph, in_order, graph.node, f"{path}, MoveNet {variant}")
    return network


def load_blazepose(variant: str, path: Path) -> BlazePose:
    """Trunk and landmark heads of BlazePose `variant` with the weights of an ONNX file, the published one or ours.

    Raises:
        ValueError: the file is no network of that variant.
    """
    network = BlazePose(variant)
    graph = onnx.load(path).graph
    in_order = [module for module in network.modules() if isinstance(module, nn.Conv2d)]
    needed = _behind({"landmarks", "world"}, graph)
    _restore(network, _UPRIGHT, graph, in_order, needed, f"{path}, BlazePose {variant}")
    return network


def _restore(network: nn.Module, part: str, graph: onnx.GraphProto, in_order: Sequence[nn.Conv2d | None],
             nodes: Iterable[onnx.NodeProto], what: str) -> None:
    """Weights by name, where the file is a stage of ours with such a part, else by the order of the convolutions."""
    ours = named_weights(graph, part)
    if not ours:
        _fill(in_order, _convolutions(nodes, graph), what)
        return
    try:
        network.load_state_dict(ours)
    except RuntimeError as error:
        raise ValueError(f"{what}: {str(error).splitlines()[1].strip()}") from error


def _fill(modules: Sequence[nn.Conv2d | None], weights: list[list[NDArray[np.float16]]], what: str) -> None:
    """Gives convolutions the weights that stand at the same place; None is a convolution that we do not use."""
    if len(weights) != len(modules):
        raise ValueError(f"{what}: {len(weights)} convolutions, want {len(modules)}")
    for index, (arrays, module) in enumerate(zip(weights, modules, strict=True)):
        if module is None:
            continue
        for parameter, array in zip((module.weight, module.bias), arrays, strict=False):
            if parameter is None or parameter.shape != array.shape:
                raise ValueError(f"{what}: convolution {index} is {array.shape}, want {module}")
            parameter.data = torch.from_numpy(array.astype(np.float32))


def _behind(outputs: set[str], graph: onnx.GraphProto) -> list[onnx.NodeProto]:
    """The nodes that outputs depend on, in the graph's order."""
    needed, nodes = set(outputs), []
    for node in reversed(graph.node):
        if needed.intersection(node.output):
            needed.update(node.input)
            nodes.append(node)
    return nodes[::-1]


def named_weights(graph: onnx.GraphProto, part: str) -> dict[str, torch.Tensor]:
    """The weights of a part of a stage of ours, by their names within the part; empty for other files."""
    tensors = {t.name.removesuffix(".half"): t for t in graph.initializer if t.name.startswith(part)}
    return {name.removeprefix(part): torch.from_numpy(numpy_helper.to_array(tensor).astype(np.float32))
            for name, tensor in tensors.items()}


def _convolutions(nodes: Iterable[onnx.NodeProto], graph: onnx.GraphProto) -> list[list[NDArray[np.float16]]]:
    """Weight and, where there is one, bias of every convolution among the graph's nodes, in their order."""
    stored = {tensor.name: tensor for tensor in graph.initializer}
    behind_cast = {node.output[0]: node.input[0] for node in graph.node if node.op_type == "Cast"}
    return [
        [numpy_helper.to_array(stored[behind_cast.get(name, name)]) for name in node.input[1:]]
        for node in nodes
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
