"""What every runner promises, asked of each runtime that can run here."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import onnxruntime
import pytest

from posecascade.models.errors import RunnerError
from posecascade.models.records import Stage
from posecascade.models.runners import RUNTIMES, load_runner
from posecascade.models.runners.onnx import OnnxRunner
from posecascade.models.runners.profiles import Profile
from posecascade.models.runners.providers import CUDA, cuda_devices
from posecascade.models.runners.tensorrt import TensorRtRunner

PADDED = "padded batches without a GPU"


@pytest.fixture(params=[*RUNTIMES, PADDED])
def runner(request, tiny_stage, engine_double, tmp_path):
    if request.param == PADDED:
        inputs = OnnxRunner(tiny_stage, Stage.REFINE).inputs
        runner = TensorRtRunner(
            engine_double(), Stage.REFINE, inputs, [Profile(None, (1, 4))], "double"
        )
    else:
        skip_unless_it_can_run(request.param)
        runner = load_runner(
            Stage.REFINE, tiny_stage, runtime=request.param, cache=tmp_path
        )
    yield runner
    runner.close()


def skip_unless_it_can_run(runtime):
    if runtime != "onnxruntime" and not cuda_devices():
        pytest.skip(f"{runtime} needs an NVIDIA GPU and the driver offers none")
    if (
        runtime == "onnxruntime-gpu"
        and CUDA not in onnxruntime.get_available_providers()
    ):
        pytest.skip("onnxruntime here was built for the CPU")
    if runtime.startswith("tensorrt"):
        pytest.importorskip(
            runtime.replace("-", "_"), reason=f"{runtime} is not installed"
        )


def assert_same(got, want):
    for name in want:
        np.testing.assert_allclose(
            got[name], want[name], rtol=1e-5, atol=1e-5, err_msg=name
        )


def item(batch, index):
    return {name: array[[index]] for name, array in batch.items()}


@pytest.mark.parametrize("copies", [1, 4])
def test_an_item_in_a_batch_gets_the_answer_it_gets_alone(runner, crops, copies):
    batch = {name: np.concatenate([array] * copies) for name, array in crops.items()}
    together = runner.run(batch)

    for index in range(2 * copies):
        assert_same(item(together, index), runner.run(item(crops, index % 2)))


def test_an_answer_does_not_depend_on_the_place_in_the_batch(runner, crops):
    swapped = runner.run({name: array[::-1].copy() for name, array in crops.items()})

    assert_same(
        {name: array[::-1] for name, array in swapped.items()}, runner.run(crops)
    )


def test_calls_from_several_threads_get_their_own_answers(runner, crops):
    with ThreadPoolExecutor(4) as pool:
        answers = list(
            pool.map(runner.run, [item(crops, index % 2) for index in range(8)])
        )

    together = runner.run(crops)
    for index, answer in enumerate(answers):
        assert_same(answer, item(together, index % 2))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (
            {"crop_bgr": np.zeros((2, 8, 9, 3), np.uint8)},
            r"crop_bgr uint8\[any, 8, 8, 3\], got uint8\[2, 8, 9, 3\]",
        ),
        ({"crop_bgr": np.zeros((2, 8, 8), np.uint8)}, r"got uint8\[2, 8, 8\]"),
        ({"crop_bgr": np.zeros((2, 8, 8, 3), np.float32)}, r"got float32"),
        (
            {"crop_bgr": np.zeros((3, 8, 8, 3), np.uint8)},
            "one batch of at least one item",
        ),
        ({"extra": np.zeros((2, 1), np.float32)}, "wants the inputs"),
    ],
)
def test_a_batch_that_does_not_fit_is_refused_by_name(runner, crops, change, says):
    with pytest.raises(RunnerError, match=says):
        runner.run(crops | change)


def test_an_empty_batch_is_refused(runner, crops):
    with pytest.raises(RunnerError, match="at least one item"):
        runner.run({name: array[:0] for name, array in crops.items()})


def test_a_closed_runner_says_so_and_may_be_closed_again(runner, crops):
    runner.close()
    runner.close()

    with pytest.raises(RunnerError, match="closed"):
        runner.run(crops)
