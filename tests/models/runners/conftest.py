"""A stage of four nodes, with the inputs of a real one."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

SIZE = 8


@pytest.fixture
def crops():
    """Two different items."""
    rng = np.random.default_rng(7)
    return {"crop_bgr": rng.integers(0, 256, (2, SIZE, SIZE, 3), np.uint8),
            "intrinsics": rng.random((2, 4), np.float32)}


@pytest.fixture
def tiny_stage(tmp_path: Path) -> Path:
    """crop_bgr uint8 [N, 8, 8, 3], intrinsics [N, 4] -> joints_px [N, 4]: a convolution, pooled, plus the intrinsics."""
    weights = np.random.default_rng(0).normal(size=(4, 3, 3, 3)).astype(np.float32)
    nodes = [helper.make_node("Cast", ["crop_bgr"], ["float"], to=TensorProto.FLOAT),
             helper.make_node("Transpose", ["float"], ["planes"], perm=[0, 3, 1, 2]),
             helper.make_node("Conv", ["planes", "weights"], ["maps"]),
             helper.make_node("ReduceMean", ["maps", "axes"], ["means"], keepdims=0),
             helper.make_node("Add", ["means", "intrinsics"], ["joints_px"])]
    graph = helper.make_graph(
        nodes, "tiny",
        [helper.make_tensor_value_info("crop_bgr", TensorProto.UINT8, ["batch", SIZE, SIZE, 3]),
         helper.make_tensor_value_info("intrinsics", TensorProto.FLOAT, ["batch", 4])],
        [helper.make_tensor_value_info("joints_px", TensorProto.FLOAT, ["batch", 4])],
        [numpy_helper.from_array(weights, "weights"), numpy_helper.from_array(np.array([2, 3]), "axes")])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    helper.set_model_props(model, {"stage": "refine"})
    onnx.save(model, tmp_path / "tiny.onnx")
    return tmp_path / "tiny.onnx"
