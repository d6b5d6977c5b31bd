import os

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from posecascade.models.errors import RunnerError, StageDown
from posecascade.models.records import Stage
from posecascade.models.runners import load_runner
from posecascade.models.runners.onnx import OnnxRunner
from posecascade.models.runners.providers import CUDA, cuda_devices


@pytest.fixture
def failing_stage(tmp_path):
    """x [N, 1], index [N, 1]: a gather that fails on an index out of range, so a well-formed batch can fail."""
    graph = helper.make_graph(
        [helper.make_node("GatherElements", ["x", "index"], ["y"], axis=1)],
        "failing",
        [
            helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", 1]),
            helper.make_tensor_value_info("index", TensorProto.INT64, ["batch", 1]),
        ],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["batch", 1])],
    )
    onnx.save(
        helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10
        ),
        tmp_path / "failing.onnx",
    )
    return tmp_path / "failing.onnx"


def test_the_provider_is_the_one_that_got_the_convolutions(tiny_stage):
    assert load_runner(Stage.REFINE, tiny_stage).provider == "CPUExecutionProvider"


def test_the_metadata_of_the_graph_travels_with_the_runner(tiny_stage):
    assert OnnxRunner(tiny_stage, Stage.REFINE).metadata == {"stage": "refine"}


def test_a_failure_of_the_runtime_is_a_stage_that_is_down_with_its_cause(failing_stage):
    runner = OnnxRunner(failing_stage, Stage.EXPERT)
    batch = {"x": np.zeros((1, 1), np.float32), "index": np.full((1, 1), 9)}

    with pytest.raises(
        StageDown, match="expert failed on CPUExecutionProvider with a batch of 1"
    ) as caught:
        runner.run(batch)

    assert "Out of range" in str(caught.value.__cause__)


@pytest.mark.parametrize("content", [None, b"", b"no graph at all"])
def test_a_missing_or_damaged_file_is_named(tmp_path, content):
    path = tmp_path / "refine.onnx"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(RunnerError, match=r"refine\.onnx"):
        OnnxRunner(path, Stage.REFINE)


def test_an_unknown_runtime_is_refused_with_what_is_allowed(tiny_stage):
    with pytest.raises(
        RunnerError, match=r"must be one of onnxruntime, onnxruntime-gpu.*got 'cuda'"
    ):
        load_runner(Stage.REFINE, tiny_stage, runtime="cuda")


@pytest.mark.skipif(cuda_devices() > 0, reason="a GPU is here")
def test_a_demanded_gpu_that_is_not_there_is_refused_before_the_runtime_can_fall_back(
    tiny_stage,
):
    with pytest.raises(
        RunnerError, match=r"needs an NVIDIA GPU, but the driver .* offers none"
    ):
        load_runner(Stage.REFINE, tiny_stage, runtime="onnxruntime-gpu")
    with pytest.raises(RunnerError, match="needs an NVIDIA GPU"):
        OnnxRunner(tiny_stage, Stage.REFINE, provider=CUDA)


def test_onnxruntime_is_told_not_to_report_its_use():
    assert os.environ["ORT_DISABLE_TELEMETRY"] == "1"
