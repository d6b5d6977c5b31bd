"""Engines on a real GPU."""

import logging

import numpy as np
import pytest

from posecascade.models.manifest import WEIGHTS, load_manifest
from posecascade.models.records import Stage
from posecascade.models.runners import load_runner
from posecascade.models.runners.device import Device
from posecascade.models.runners.parity import agreement
from posecascade.models.runners.providers import cuda_devices
from posecascade.models.runners.samples import load_sample

pytestmark = [
    pytest.mark.skipif(
        cuda_devices() == 0, reason="needs an NVIDIA GPU and the driver offers none"
    ),
    pytest.mark.skipif(
        not (WEIGHTS / "manifest.json").exists(), reason="no weights have been exported"
    ),
]


@pytest.fixture(
    params=[("tensorrt", "tensorrt"), ("tensorrt-rtx", "tensorrt_rtx")],
    ids=lambda pair: pair[0],
)
def load(request, tmp_path):
    """A loader of one stage's engine, kept in a folder of the test."""
    runtime, module = request.param
    pytest.importorskip(module, reason=f"{module} is not installed")
    manifest = load_manifest()

    def load(stage):
        spec = manifest.stages[stage]
        return load_runner(
            stage,
            manifest.path(stage),
            runtime=runtime,
            sizes_hw=spec.input_sizes_hw,
            buckets=spec.batch_buckets,
            cache=tmp_path,
        )

    return load


@pytest.mark.parametrize("stage", Stage)
def test_an_engine_says_what_onnxruntime_says_at_every_bucket_and_beyond(load, stage):
    manifest = load_manifest()
    sample = load_sample(manifest.path(stage))
    reference = load_runner(stage, manifest.path(stage))
    runner = load(stage)

    for items in range(1, manifest.stages[stage].batch_buckets[-1] + 2):
        batch = {
            name: array[np.arange(items) % len(array)] for name, array in sample.items()
        }
        assert (
            agreement(reference.run(batch), runner.run(batch), min_score=0.3).joints_mm
            < 5
        )
    runner.close()


def test_the_second_start_uses_the_kept_engine(load, caplog):
    caplog.set_level(logging.INFO)
    load(Stage.REFINE).close()
    caplog.clear()
    load(Stage.REFINE).close()

    assert "building" not in caplog.text


def test_the_provider_names_the_library_and_the_device(load):
    runner = load(Stage.REFINE)

    assert runner.provider.startswith("tensorrt")
    assert runner.provider.endswith(f"on {Device().name}")
    runner.close()
