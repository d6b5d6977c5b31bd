"""Cost of a graph: multiply-accumulates of the shapes that occur, parameters, measured time."""

import math
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import helper, numpy_helper

from posecascade.models.runners import Arrays, Runner

_COUNTED = ("Conv", "Gemm", "MatMul")
"""All else is under 1 % of the multiplications of the stages."""


def gmacs(path: Path, inputs: Arrays) -> float:
    """10^9 multiply-accumulates of the convolutions and matrix products for `inputs`."""
    model = onnx.load(path)
    weights = {t.name: tuple(t.dims) for t in model.graph.initializer}
    casts = [
        node
        for node in model.graph.node
        if node.op_type == "Cast" and node.input[0] in weights
    ]
    weights |= {node.output[0]: weights[node.input[0]] for node in casts}
    counted = [node for node in model.graph.node if node.op_type in _COUNTED]
    wanted = {node.output[0] for node in counted}
    wanted |= {node.input[0] for node in counted if node.op_type != "Conv"}
    shapes = _shapes(model, wanted - weights.keys() - inputs.keys(), inputs) | weights
    return sum(_macs(node, shapes) for node in counted) / 1e9


def _shapes(
    model: onnx.ModelProto, names: set[str], inputs: Arrays
) -> dict[str, tuple[int, ...]]:
    """Shapes of inner tensors, by running the graph up to them: shape inference stops at sizes that are computed."""
    del model.graph.output[:]
    model.graph.output.extend(
        helper.make_empty_tensor_value_info(name) for name in sorted(names)
    )
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    shapes = [value.shape for value in session.run(sorted(names), dict(inputs))]
    return dict(zip(sorted(names), shapes, strict=True)) | {
        name: array.shape for name, array in inputs.items()
    }


def _macs(node: onnx.NodeProto, shapes: dict[str, tuple[int, ...]]) -> int:
    out = math.prod(shapes[node.output[0]])
    if node.op_type == "Conv":
        kernel = shapes[node.input[1]][1:]  # weight [out, in / groups, kh, kw]
        return out * math.prod(kernel)
    transposed = any(a.name == "transA" and a.i for a in node.attribute)
    return out * shapes[node.input[0]][-2 if transposed else -1]


def params(path: Path) -> int:
    """Elements of the floating-point tensors that the file stores."""
    stored = (
        numpy_helper.to_array(tensor) for tensor in onnx.load(path).graph.initializer
    )
    return sum(
        array.size for array in stored if np.issubdtype(array.dtype, np.floating)
    )


def item_ms(
    runner: Runner,
    inputs: Arrays,
    *,
    threads: int,
    runs: int = 60,
    clock: Callable[[], float] = time.process_time,
) -> float:
    """Milliseconds of one item of the batch on `threads` cores that are free.

    Processor time of the cheapest run, divided by the cores: unlike wall time, it leaves out what other processes take.
    """
    runner.run(inputs)
    least_s = math.inf
    for _ in range(runs):
        began_s = clock()
        runner.run(inputs)
        least_s = min(least_s, clock() - began_s)
    items = len(next(iter(inputs.values())))
    return 1000 * least_s / threads / items
