import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from posecascade.export.graph_cost import gmacs, item_ms, params


@pytest.fixture
def conv_then_dense(tmp_path):
    """[N, 4, 8, 8] -> grouped 3x3 convolution to 6 channels, stride 2 -> mean -> dense to 10."""
    rng = np.random.default_rng(0)
    nodes = [
        helper.make_node(
            "Conv",
            ["x", "kernel"],
            ["maps"],
            group=2,
            strides=[2, 2],
            pads=[1, 1, 1, 1],
        ),
        helper.make_node("GlobalAveragePool", ["maps"], ["pooled"]),
        helper.make_node("Flatten", ["pooled"], ["flat"]),
        helper.make_node("Cast", ["stored"], ["dense"], to=TensorProto.FLOAT),
        helper.make_node("Gemm", ["flat", "dense"], ["y"]),
    ]
    weights = [
        numpy_helper.from_array(
            rng.normal(size=(6, 2, 3, 3)).astype(np.float32), "kernel"
        ),
        numpy_helper.from_array(rng.normal(size=(6, 10)).astype(np.float16), "stored"),
    ]
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes,
        "g",
        [value("x", TensorProto.FLOAT, ["n", 4, 8, 8])],
        [value("y", TensorProto.FLOAT, ["n", 10])],
        weights,
    )
    onnx.save(
        helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10
        ),
        tmp_path / "g.onnx",
    )
    return tmp_path / "g.onnx"


@pytest.mark.parametrize("items", [1, 3])
def test_multiplications_are_counted_from_the_shapes(conv_then_dense, items):
    convolution, dense = 6 * 4 * 4 * (2 * 3 * 3), 6 * 10

    assert (
        gmacs(conv_then_dense, {"x": np.zeros((items, 4, 8, 8), np.float32)})
        == items * (convolution + dense) / 1e9
    )


def test_parameters_are_those_stored_in_whatever_precision(conv_then_dense):
    assert params(conv_then_dense) == 6 * 2 * 3 * 3 + 6 * 10


class Timed:
    """Takes as much time of its own clock as the list says, batch by batch."""

    provider = "double"

    def __init__(self, *batch_s):
        self.now_s = 100.0
        self._batch_s = list(batch_s)

    def clock(self):
        return self.now_s

    def run(self, batch):
        self.now_s += self._batch_s.pop(0)
        return {}

    def close(self): ...


def test_the_cost_of_an_item_is_its_share_of_the_cheapest_run():
    runner = Timed(9.0, 0.05, 0.02, 0.03)  # the first one warms up
    inputs = {"x": np.zeros((2, 1))}
    cost_ms = item_ms(runner, inputs, threads=5, runs=3, clock=runner.clock)

    assert cost_ms == pytest.approx(20 / 2 / 5)
