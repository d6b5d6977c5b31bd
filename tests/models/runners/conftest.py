"""A stage of a few nodes with the inputs and outputs of a real one, and an engine that needs no GPU."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from posecascade.models.records import Stage
from posecascade.models.runners.onnx import OnnxRunner
from posecascade.models.runners.samples import save_sample

SIZE = 8
OUTPUTS = {
    "score": [],
    "joints_px": [25, 2],
    "joint_scores": [25],
    "joints_rel_mm": [25, 3],
    "sigma_mm": [25],
    "root_depth_mm": [],
    "root_depth_sigma_mm": [],
    "disagreement": [],
}


@pytest.fixture
def crops():
    """Two different items."""
    rng = np.random.default_rng(7)
    return {
        "crop_bgr": rng.integers(0, 256, (2, SIZE, SIZE, 3), np.uint8),
        "intrinsics": rng.random((2, 4), np.float32),
    }


@pytest.fixture
def tiny_stage(tmp_path: Path, crops) -> Path:
    """crop_bgr uint8 [N, 8, 8, 3], intrinsics [N, 4] -> the contract's outputs, each linear in one pooled conv."""
    rng = np.random.default_rng(0)
    constants = {"kernel": rng.normal(size=(4, 3, 3, 3)), "scale": np.array(1 / 255)}
    nodes = [
        helper.make_node("Cast", ["crop_bgr"], ["float"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["float", "scale"], ["unit"]),
        helper.make_node("Transpose", ["unit"], ["planes"], perm=[0, 3, 1, 2]),
        helper.make_node("Conv", ["planes", "kernel"], ["maps"]),
        helper.make_node("GlobalAveragePool", ["maps"], ["pooled"]),
        helper.make_node("Flatten", ["pooled"], ["means"]),
        helper.make_node("Add", ["means", "intrinsics"], ["features"]),
    ]
    for name, shape in OUTPUTS.items():
        constants[f"{name}_weights"] = rng.normal(size=(4, int(np.prod(shape))))
        nodes += [
            helper.make_node(
                "MatMul", ["features", f"{name}_weights"], [f"{name}_flat"]
            ),
            helper.make_node("Reshape", [f"{name}_flat", f"{name}_shape"], [name]),
        ]
    weights = [
        numpy_helper.from_array(array.astype(np.float32), name)
        for name, array in constants.items()
    ]
    weights += [
        numpy_helper.from_array(np.array([-1, *shape]), f"{name}_shape")
        for name, shape in OUTPUTS.items()
    ]
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes,
        "tiny",
        [
            value("crop_bgr", TensorProto.UINT8, ["batch", SIZE, SIZE, 3]),
            value("intrinsics", TensorProto.FLOAT, ["batch", 4]),
        ],
        [
            value(name, TensorProto.FLOAT, ["batch", *shape])
            for name, shape in OUTPUTS.items()
        ],
        weights,
    )
    model = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10
    )
    helper.set_model_props(model, {"stage": "refine"})
    onnx.save(model, tmp_path / "tiny.onnx")
    save_sample(tmp_path / "tiny.onnx", crops)
    return tmp_path / "tiny.onnx"


class EngineDouble:
    """An `Engine` on onnxruntime, which remembers the batches it was given."""

    def __init__(self, onnx_path: Path, *, off_by_mm: float = 0.0) -> None:
        self._runner = OnnxRunner(onnx_path, Stage.REFINE)
        self._off_by_mm = off_by_mm
        self.batches: list[int] = []
        self.closed = False

    def execute(self, profile, batch):
        self.batches.append(len(batch["crop_bgr"]))
        outputs = self._runner.run(batch)
        outputs["joints_rel_mm"][:, 3, 0] += self._off_by_mm
        return outputs

    def close(self):
        self.closed = True


@pytest.fixture
def engine_double(tiny_stage):
    """A maker of engines, so that a test can ask for one that is wrong."""
    return lambda **kwargs: EngineDouble(tiny_stage, **kwargs)
