"""TensorRT's own parser and builder on our graphs, without a GPU: TensorRT-RTX compiles for GPUs that are not there."""

import logging

import onnx
import pytest
from onnx import TensorProto, helper

from posecascade.export.to_tensorrt import build_ahead, build_engines
from posecascade.models.errors import RunnerError
from posecascade.models.manifest import WEIGHTS, load_manifest
from posecascade.models.records import Stage
from posecascade.models.runners.engines import build
from posecascade.models.runners.onnx import OnnxRunner
from posecascade.models.runners.profiles import profiles
from posecascade.models.runners.providers import cuda_devices


@pytest.fixture
def rtx():
    return pytest.importorskip(
        "tensorrt_rtx",
        reason="tensorrt-rtx-cu13 is not installed: large and proprietary",
    )


@pytest.mark.parametrize("stage", Stage)
def test_tensorrt_builds_every_profile_of_an_exported_stage(
    rtx, exported, stage, caplog
):
    caplog.set_level(logging.INFO)
    inputs = OnnxRunner(exported[stage], stage).inputs
    offered = profiles(inputs, [(64, 96), (96, 64), (64, 64)], (1, 2, 4))

    assert (
        len(
            build(
                rtx,
                exported[stage],
                stage,
                inputs,
                offered,
                architectures=["SM80", "SM89"],
            )
        )
        > 10_000
    )
    assert f"{stage}: building for" in caplog.text
    assert f"{stage}: built in" in caplog.text


@pytest.mark.parametrize("stage", Stage)
def test_tensorrt_builds_every_profile_of_the_shipped_weights(rtx, stage):
    if not (WEIGHTS / "manifest.json").exists():
        pytest.skip("no weights have been exported to models/weights")
    manifest = load_manifest()
    spec, path = manifest.stages[stage], manifest.path(stage)
    inputs = OnnxRunner(path, stage).inputs

    engine = build(
        rtx,
        path,
        stage,
        inputs,
        profiles(inputs, spec.input_sizes_hw, spec.batch_buckets),
        architectures=["SM89"],
    )

    assert len(engine) > spec.bytes  # float32 weights, stored in the file as float16


def test_engines_built_ahead_are_kept_for_the_first_start(rtx, weights, tmp_path):
    built = list(build_ahead(weights, architectures=["SM89"], cache=tmp_path))

    assert [path.name.split("-")[0] for path in sorted(tmp_path.iterdir())] == [
        "coarse",
        "expert",
        "refine",
    ]
    assert len(built) == 3


def test_an_architecture_that_cannot_be_built_for_is_refused_with_those_that_can(
    rtx, weights, tmp_path
):
    with pytest.raises(RunnerError, match=r"builds for .*SM89.*, not for SM90"):
        list(build_ahead(weights, architectures=["SM90"], cache=tmp_path))


def test_a_graph_that_tensorrt_cannot_parse_is_refused_in_its_words(rtx, tmp_path):
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        [
            helper.make_node(
                "Transpose", ["x"], ["y"], "turned_before_cast", perm=[1, 0]
            )
        ],
        "g",
        [value("x", TensorProto.UINT8, ["n", 4])],
        [value("y", TensorProto.UINT8, [4, "n"])],
    )
    onnx.save(
        helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10
        ),
        tmp_path / "g.onnx",
    )
    inputs = OnnxRunner(tmp_path / "g.onnx", Stage.REFINE).inputs

    with pytest.raises(
        RunnerError, match=r"cannot parse .*g\.onnx: .*turned_before_cast"
    ):
        build(
            rtx,
            tmp_path / "g.onnx",
            Stage.REFINE,
            inputs,
            profiles(inputs, [], (1,)),
            architectures=["SM89"],
        )


@pytest.mark.skipif(cuda_devices() > 0, reason="a GPU is here")
def test_building_for_the_gpu_at_hand_needs_one():
    with pytest.raises(RunnerError, match="needs an NVIDIA GPU"):
        list(build_engines(WEIGHTS, runtime="tensorrt"))
