"""Weights of published networks, or of our own stages, read from their ONNX files into ours."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import numpy_helper
from torch import nn

from posecascade.models.lab.networks.blazepose import BlazePose
from posecascade.models.lab.networks.former_names import present_name
from posecascade.models.lab.networks.movenet import VARIANTS, MoveNet

_MOVENET = "network."
_BLAZEPOSE = "upright.network."
"""Prefixes of the networks' weights in a stage."""


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
    _restore(
        network, _MOVENET, graph, in_order, graph.node, f"{path}, MoveNet {variant}"
    )
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
    _restore(
        network, _BLAZEPOSE, graph, in_order, needed, f"{path}, BlazePose {variant}"
    )
    return network


def _restore(
    network: nn.Module,
    part: str,
    graph: onnx.GraphProto,
    in_order: Sequence[nn.Conv2d | None],
    nodes: Iterable[onnx.NodeProto],
    what: str,
) -> None:
    """Weights by name, where the file is a stage of ours with such a part, else by the order of the convolutions."""
    ours = named_weights(graph, part)
    if not ours:
        _fill(in_order, _convolutions(nodes, graph), what)
        return
    try:
        network.load_state_dict(ours)
    except RuntimeError as error:
        raise ValueError(f"{what}: {str(error).splitlines()[1].strip()}") from error


def _fill(
    modules: Sequence[nn.Conv2d | None],
    weights: list[list[NDArray[np.float16]]],
    what: str,
) -> None:
    """Gives convolutions the weights that stand at the same place; None is a convolution that we do not use."""
    if len(weights) != len(modules):
        raise ValueError(f"{what}: {len(weights)} convolutions, want {len(modules)}")
    for index, (arrays, module) in enumerate(zip(weights, modules, strict=True)):
        if module is None:
            continue
        for parameter, array in zip((module.weight, module.bias), arrays, strict=False):
            if parameter is None or parameter.shape != array.shape:
                raise ValueError(
                    f"{what}: convolution {index} is {array.shape}, want {module}"
                )
            parameter.data = torch.from_numpy(array.astype(np.float32))


def _behind(outputs: set[str], graph: onnx.GraphProto) -> list[onnx.NodeProto]:
    """The nodes that outputs depend on, in the graph's order."""
    needed = set(outputs)
    nodes: list[onnx.NodeProto] = []
    for node in reversed(graph.node):
        if needed.intersection(node.output):
            needed.update(node.input)
            nodes.append(node)
    return nodes[::-1]


def named_weights(graph: onnx.GraphProto, part: str) -> dict[str, torch.Tensor]:
    """The weights of a part of a stage of ours, by their present names within the part; empty for other files."""
    weights: dict[str, torch.Tensor] = {}
    for tensor in graph.initializer:
        if not tensor.name.startswith(part):
            continue
        name = tensor.name.removesuffix(".half").removeprefix(part)
        array = numpy_helper.to_array(tensor).astype(np.float32)
        weights[present_name(name)] = torch.from_numpy(array)
    return weights


def _convolutions(
    nodes: Iterable[onnx.NodeProto], graph: onnx.GraphProto
) -> list[list[NDArray[np.float16]]]:
    """Weight and, where there is one, bias of every convolution among the graph's nodes, in their order."""
    stored = {tensor.name: tensor for tensor in graph.initializer}
    before_cast = {
        node.output[0]: node.input[0] for node in graph.node if node.op_type == "Cast"
    }
    weights: list[list[NDArray[np.float16]]] = []
    for node in nodes:
        if node.op_type != "Conv":
            continue
        names = [before_cast.get(name, name) for name in node.input[1:]]
        weights.append([numpy_helper.to_array(stored[name]) for name in names])
    return weights


def _in_order(network: MoveNet, heads: tuple[str, ...]) -> list[nn.Conv2d | None]:
    """Convolutions in the published order; None is one of a head that we do not use.

    A tap follows the first block that uses its group, and the heads are computed side by side.
    """
    order: list[nn.Conv2d | None] = [network.stem]
    for index, group in enumerate(network.groups):
        order += _convolutions_of(group)
        if str(index) in network.taps:
            order += _convolutions_of(network.taps[str(index)])
    order += [network.last, network.top]
    for merge in network.merges:
        order += _convolutions_of(merge)
    for layer in range(3):  # depthwise, pointwise, last
        for name in heads:
            if name in network.heads:
                order.append(_convolutions_of(network.heads[name])[layer])
            else:
                order.append(None)
    return order


def _convolutions_of(module: nn.Module) -> list[nn.Conv2d]:
    return [one for one in module.modules() if isinstance(one, nn.Conv2d)]
