import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from posecascade.export.to_onnx import halved
from posecascade.models.lab.networks.torch_runner import TorchRunner
from posecascade.models.records import Stage
from posecascade.models.runners.onnx import OnnxRunner
from posecascade.models.runners.parity import agreement


@pytest.fixture(scope="module")
def runner(exported):
    return {stage: OnnxRunner(path, stage) for stage, path in exported.items()}


def example(module, items):
    return {name: value.numpy() for name, value in module.example_inputs(items).items()}


@pytest.mark.parametrize("stage", Stage)
@pytest.mark.parametrize("items", [1, 5])
def test_an_exported_stage_agrees_with_its_module_at_any_batch(
    modules, runner, stage, items
):
    batch = example(modules[stage], items)
    found = agreement(TorchRunner(modules[stage]).run(batch), runner[stage].run(batch))

    assert found.people >= items
    assert found.joints_mm < 0.01


@pytest.mark.parametrize("size_hw", [(96, 64), (160, 160), (128, 224)])
def test_one_coarse_file_takes_every_frame_size(modules, runner, size_hw):
    batch = example(modules[Stage.COARSE], 2)
    batch["image_bgr"] = np.random.default_rng(0).integers(
        0, 256, (2, *size_hw, 3), np.uint8
    )

    assert (
        agreement(
            TorchRunner(modules[Stage.COARSE]).run(batch),
            runner[Stage.COARSE].run(batch),
        ).joints_mm
        < 0.01
    )


def test_the_file_says_what_it_is(runner):
    assert runner[Stage.EXPERT].metadata == {
        "stage": "expert",
        "contract": "1",
        "skeleton": "cascade25",
    }


@pytest.mark.parametrize("stage", Stage)
def test_pictures_are_cast_before_anything_else(exported, stage):
    """TensorRT takes uint8 into a cast and into nothing else."""
    graph = onnx.load(exported[stage]).graph
    users = [node.op_type for node in graph.node if graph.input[0].name in node.input]

    assert graph.input[0].type.tensor_type.elem_type == TensorProto.UINT8
    assert set(users) == {"Cast"}


def graph_of(array):
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        [helper.make_node("Add", ["x", "weights"], ["y"])],
        "sum",
        [value("x", TensorProto.FLOAT, [len(array)])],
        [value("y", TensorProto.FLOAT, [len(array)])],
        [numpy_helper.from_array(array, "weights")],
    )
    return helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10
    )


def outcome(model, path):
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, path)
    runner = OnnxRunner(path, Stage.REFINE)
    return runner.run({"x": np.zeros(runner.inputs["x"].shape, np.float32)})["y"]


def test_half_precision_weights_are_stored_as_such_and_nothing_is_lost(tmp_path):
    weights = (
        np.random.default_rng(0).normal(size=1000).astype(np.float16).astype(np.float32)
    )
    small = halved(graph_of(weights))

    assert len(small.SerializeToString()) < 0.6 * len(
        graph_of(weights).SerializeToString()
    )
    np.testing.assert_array_equal(outcome(small, tmp_path / "small.onnx"), weights)


@pytest.mark.parametrize(
    "weights",
    [
        pytest.param(np.full(1000, 1e6, np.float32), id="overflow"),
        pytest.param(np.full(1000, 1e-7, np.float32), id="underflow"),
        pytest.param(np.full(10, 0.5, np.float32), id="too few to matter"),
    ],
)
def test_what_half_precision_would_hurt_or_not_help_stays_as_it_is(weights):
    model = graph_of(weights)

    assert halved(model) == model
