"""A trained torch stage as one ONNX file: any batch, any frame size, weights stored in half precision."""

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol, cast

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn
from torch.export import Dim

from posecascade.models.manifest import CONTRACT
from posecascade.models.records import Stage

OPSET = 20
MAX_BATCH = 64
SIDE_STEP = 32
"""Frames have sides that are multiples of this: the deepest stride of the network."""

LEAST_STORED = 256
"""Elements from which halving a tensor saves more than the node that restores it takes."""


class StageModule(Protocol):
    """What `posecascade.models.lab.networks` builds."""

    stage: Stage

    def example_inputs(self, batch: int = 2) -> dict[str, Tensor]: ...


def export_stage(module: StageModule, path: Path) -> None:
    """Writes the stage to `path`: one file, its stage, contract and skeleton in the graph's metadata."""
    model = halved(traced(module))
    helper.set_model_props(
        model,
        {
            "stage": str(module.stage),
            "contract": str(CONTRACT),
            "skeleton": "cascade25",
        },
    )
    onnx.checker.check_model(model, full_check=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    onnx.save(model, partial)
    partial.replace(path)


def traced(module: StageModule) -> onnx.ModelProto:
    """The float32 graph, with batch and frame size left open."""
    network = cast(nn.Module, module).eval()
    inputs = module.example_inputs(2)  # a batch of 1 might be taken for a constant
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter(
            "ignore"
        )  # the exporter's, about its own deprecated parts
        outputs = list(network(**inputs))
        program = torch.onnx.export(
            network,
            (),
            kwargs=inputs,
            input_names=list(inputs),
            output_names=outputs,
            dynamic_shapes=_open_axes(module.stage, inputs),
            opset_version=OPSET,
            dynamo=True,
            verbose=False,
        )
    assert program is not None  # the dynamo exporter always returns one
    return program.model_proto


def _open_axes(stage: Stage, inputs: Mapping[str, Tensor]) -> dict[str, dict[int, Any]]:
    batch = Dim("batch", min=1, max=MAX_BATCH)
    axes: dict[str, dict[int, Any]] = {name: {0: batch} for name in inputs}
    if (
        stage is Stage.COARSE
    ):  # one graph for every frame size: one a size would store the weights as often
        axes["image_bgr"] |= {
            1: SIDE_STEP * Dim("_rows", min=2, max=64),
            2: SIDE_STEP * Dim("_cols", min=2, max=64),
        }
    return axes


def halved(model: onnx.ModelProto) -> onnx.ModelProto:
    """A copy that stores large float32 tensors as float16, each with a Cast behind it that runtimes fold at load.

    Checkpoints hold half precision, so for weights taken from one nothing is lost.
    """
    small = onnx.ModelProto()
    small.CopyFrom(model)
    graph, restored = small.graph, []
    for tensor in graph.initializer:
        array = numpy_helper.to_array(tensor)
        if (
            array.dtype == np.float32
            and array.size >= LEAST_STORED
            and _survives_half(array)
        ):
            name = tensor.name
            tensor.CopyFrom(
                numpy_helper.from_array(array.astype(np.float16), f"{name}.half")
            )
            restored.append(
                helper.make_node(
                    "Cast",
                    [tensor.name],
                    [name],
                    f"restore.{name}",
                    to=TensorProto.FLOAT,
                )
            )
    nodes = [*restored, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)
    return small


def _survives_half(array: NDArray[np.float32]) -> bool:
    """No element overflows, and none loses more than half precision's rounding of the largest: 2^-11 of it."""
    with np.errstate(over="ignore"):
        back = array.astype(np.float16).astype(np.float32)
    return bool(np.abs(back - array).max() <= 2.0**-11 * np.abs(array).max())
