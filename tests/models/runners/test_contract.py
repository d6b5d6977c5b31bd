"""What every runner promises, asked of each runtime that can run here."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from models.errors import RunnerError
from models.records import Stage
from models.runners import RUNTIMES, load_runner
from models.runners.providers import cuda_devices


@pytest.fixture(params=RUNTIMES)
def runner(request, tiny_stage, tmp_path):
    if request.param != "onnxruntime" and not cuda_devices():
        pytest.skip(f"{request.param} needs an NVIDIA GPU and the driver offers none")
    runner = load_runner(Stage.REFINE, tiny_stage, runtime=request.param)
    yield runner
    runner.close()


def test_an_item_in_a_batch_gets_the_answer_it_gets_alone(runner, crops):
    together = runner.run(crops)["joints_px"]
    alone = [runner.run({name: array[[i]] for name, array in crops.items()})["joints_px"][0] for i in range(2)]

    np.testing.assert_allclose(together, alone, rtol=1e-5)


def test_an_answer_does_not_depend_on_the_place_in_the_batch(runner, crops):
    swapped = runner.run({name: array[::-1].copy() for name, array in crops.items()})["joints_px"]

    np.testing.assert_allclose(swapped[::-1], runner.run(crops)["joints_px"], rtol=1e-5)


def test_calls_from_several_threads_get_their_own_answers(runner, crops):
    items = [{name: array[[i % 2]] for name, array in crops.items()} for i in range(8)]
    with ThreadPoolExecutor(4) as pool:
        answers = [answer["joints_px"][0] for answer in pool.map(runner.run, items)]

    together = runner.run(crops)["joints_px"]
    np.testing.assert_allclose(answers, [together[i % 2] for i in range(8)], rtol=1e-5)


@pytest.mark.parametrize(("change", "says"), [
    ({"crop_bgr": np.zeros((2, 8, 9, 3), np.uint8)}, r"crop_bgr uint8\[any, 8, 8, 3\], got uint8\[2, 8, 9, 3\]"),
    ({"crop_bgr": np.zeros((2, 8, 8), np.uint8)}, r"got uint8\[2, 8, 8\]"),
    ({"crop_bgr": np.zeros((2, 8, 8, 3), np.float32)}, r"got float32"),
    ({"crop_bgr": np.zeros((3, 8, 8, 3), np.uint8)}, "one batch of at least one item"),
    ({"extra": np.zeros((2, 1), np.float32)}, "wants the inputs"),
])
def test_a_batch_that_does_not_fit_is_refused_by_name(runner, crops, change, says):
    with pytest.raises(RunnerError, match=says):
        runner.run(crops | change)


def test_an_empty_batch_is_refused(runner, crops):
    with pytest.raises(RunnerError, match="at least one item"):
        runner.run({name: array[:0] for name, array in crops.items()})


def test_a_closed_runner_says_so(runner, crops):
    runner.close()

    with pytest.raises(RunnerError, match="closed"):
        runner.run(crops)
