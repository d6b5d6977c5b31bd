"""What surrounds a TensorRT engine, with an engine on onnxruntime in its place; tests/gpu has the real one."""

import pytest

from posecascade.models.errors import RunnerError, StageDown
from posecascade.models.records import Stage
from posecascade.models.runners import load_runner
from posecascade.models.runners.engines import EngineCache, EngineKey
from posecascade.models.runners.onnx import OnnxRunner
from posecascade.models.runners.profiles import Profile
from posecascade.models.runners.providers import cuda_devices
from posecascade.models.runners.samples import load_sample
from posecascade.models.runners.tensorrt import TensorRtRunner, check, checked_engine

OFFERED = [Profile(None, (1, 4))]
KEY = EngineKey(Stage.REFINE, "tensorrt 11.4.0", "sm_89", "ab" * 32, tuple(OFFERED))


@pytest.fixture
def reference(tiny_stage):
    return OnnxRunner(tiny_stage, Stage.REFINE)


@pytest.fixture
def verify(reference, tiny_stage):
    """The check of an engine against onnxruntime."""

    def verify(engine):
        runner = TensorRtRunner(
            engine, Stage.REFINE, reference.inputs, OFFERED, "double"
        )
        check(
            runner,
            reference,
            load_sample(tiny_stage),
            reference.inputs,
            OFFERED,
            tolerance_mm=10,
        )

    return verify


def refuse(*_):
    raise AssertionError("not wanted here")


def test_batches_reach_the_engine_in_buckets(engine_double, reference, crops):
    engine = engine_double()
    runner = TensorRtRunner(engine, Stage.REFINE, reference.inputs, OFFERED, "double")
    runner.run({name: array[[0] * 6] for name, array in crops.items()})
    runner.run({name: array[:1] for name, array in crops.items()})

    assert engine.batches == [4, 4, 1]


def test_a_failing_engine_is_a_stage_that_is_down_with_its_cause(reference, crops):
    class Broken:
        def execute(self, profile, batch):
            raise RuntimeError("cudaErrorIllegalAddress")

        def close(self): ...

    runner = TensorRtRunner(
        Broken(), Stage.EXPERT, reference.inputs, OFFERED, "TensorRT"
    )

    with pytest.raises(
        StageDown, match="expert failed on TensorRT with a batch of 2"
    ) as caught:
        runner.run(crops)
    assert "IllegalAddress" in str(caught.value.__cause__)


def test_a_new_engine_is_checked_and_kept(tmp_path, engine_double, verify):
    cache = EngineCache(tmp_path)
    checked_engine(
        KEY, cache, make=lambda: b"new", load=lambda blob: engine_double(), check=verify
    )

    assert cache.load(KEY) == b"new"


def test_a_kept_engine_is_used_without_building(tmp_path, engine_double, verify):
    cache = EngineCache(tmp_path)
    cache.store(KEY, b"kept")
    loaded = []
    checked_engine(
        KEY,
        cache,
        make=refuse,
        load=lambda blob: loaded.append(blob) or engine_double(),
        check=verify,
    )

    assert loaded == [b"kept"]


@pytest.mark.parametrize("wrong", [None, {"off_by_mm": 50}])
def test_a_kept_engine_that_cannot_be_loaded_or_disagrees_is_built_again(
    tmp_path, engine_double, verify, wrong
):
    cache = EngineCache(tmp_path)
    cache.store(KEY, b"of another driver")
    bad = wrong and engine_double(**wrong)
    good = engine_double()

    assert (
        checked_engine(
            KEY,
            cache,
            make=lambda: b"new",
            load=lambda blob: good if blob == b"new" else bad,
            check=verify,
        )
        is good
    )
    assert cache.load(KEY) == b"new"


def test_an_engine_that_was_built_wrong_is_refused_closed_and_not_kept(
    tmp_path, engine_double, verify
):
    cache = EngineCache(tmp_path)
    engine = engine_double(off_by_mm=12)

    with pytest.raises(
        RunnerError,
        match=r"wrong engine.*joint lies 12\.0 mm from CPUExecutionProvider's, 10 allowed",
    ):
        checked_engine(
            KEY, cache, make=lambda: b"new", load=lambda blob: engine, check=verify
        )

    assert engine.closed
    assert cache.load(KEY) is None


def test_an_engine_within_the_tolerance_passes(engine_double, verify):
    verify(engine_double(off_by_mm=8))


def test_a_sample_that_shows_nobody_proves_nothing_and_is_refused(reference, crops):
    class SeesNobody:
        provider = "double"

        def run(self, batch):
            return {name: 0 * array for name, array in reference.run(batch).items()}

        def close(self): ...

    with pytest.raises(RunnerError, match="shows nobody"):
        check(
            SeesNobody(),
            SeesNobody(),
            crops,
            reference.inputs,
            OFFERED,
            tolerance_mm=10,
        )


@pytest.mark.skipif(cuda_devices() > 0, reason="a GPU is here")
@pytest.mark.parametrize("runtime", ["tensorrt", "tensorrt-rtx"])
def test_without_a_driver_tensorrt_is_refused_before_it_is_imported(
    tiny_stage, runtime
):
    with pytest.raises(
        RunnerError, match=r"needs an NVIDIA GPU, but the driver .* offers none"
    ):
        load_runner(Stage.REFINE, tiny_stage, runtime=runtime)
