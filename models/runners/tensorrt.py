"""Runs a stage on TensorRT, or on TensorRT-RTX, which has the same interface."""

import hashlib
import importlib
import logging
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from posecascade.models.errors import RunnerError, StageDown
from posecascade.models.records import Stage
from posecascade.models.runners.base import Arrays, Runner
from posecascade.models.runners.device import Device, DeviceEngine, Engine
from posecascade.models.runners.engines import EngineCache, EngineKey, TensorRT, build
from posecascade.models.runners.onnx import OnnxRunner
from posecascade.models.runners.parity import agreement
from posecascade.models.runners.profiles import (
    Profile,
    SizeHW,
    in_buckets,
    profile_of,
    profiles,
)
from posecascade.models.runners.providers import demand_gpu
from posecascade.models.runners.samples import fitted_sample, load_sample
from posecascade.models.runners.signature import TensorSpec, batch_size

log = logging.getLogger(__name__)

TOLERANCE_MM = 5.0
"""How far a joint of an engine may lie from onnxruntime's. Two float32 executions differ by 0.1 mm at most; engines
that are built wrong without an error (lpiccinelli-eth/UniDepth 135) are off by far more."""

_SEEN = 0.3
"""Score from which a slot of `coarse` counts as a person in the comparison."""


class TensorRtRunner:
    """One engine. Batches are cut and padded to the buckets; one call runs at a time."""

    def __init__(
        self,
        engine: Engine,
        stage: Stage,
        inputs: Mapping[str, TensorSpec],
        offered: Sequence[Profile],
        provider: str,
    ) -> None:
        self._engine: Engine | None = engine
        self._stage = stage
        self._inputs = inputs
        self._profiles = offered
        self._provider = provider
        self._busy = threading.Lock()

    @property
    def provider(self) -> str:
        return self._provider

    def run(self, batch: Arrays) -> dict[str, NDArray[Any]]:
        """Outputs [N, ...] for inputs [N, ...], N >= 1.

        Raises:
            RunnerError: the batch does not fit the stage or any profile, or the runner was closed.
            StageDown: TensorRT or CUDA failed.
        """
        items = batch_size(batch, self._inputs, stage=self._stage)
        index = profile_of(batch, self._inputs, self._profiles)
        with self._busy:
            if self._engine is None:
                raise RunnerError(f"{self._stage} was closed")
            try:
                return _joined(
                    [
                        (self._engine.execute(index, piece), count)
                        for piece, count in in_buckets(batch, self._profiles[index])
                    ]
                )
            except Exception as error:  # CUDA and TensorRT raise what they like
                raise StageDown(
                    f"{self._stage} failed on {self._provider} with a batch of {items}"
                ) from error

    def close(self) -> None:
        with self._busy:
            if self._engine is not None:
                self._engine.close()
            self._engine = None


def load_tensorrt(
    path: Path,
    stage: Stage,
    *,
    module: str = "tensorrt",
    sizes_hw: Sequence[SizeHW] = (),
    buckets: Sequence[int] = (1, 2, 4, 8),
    cache: Path | None = None,
    tolerance_mm: float = TOLERANCE_MM,
) -> TensorRtRunner:
    """The stage in the ONNX file `path` as a checked engine: the cached one, or one built now.

    Args:
        module: `tensorrt` or `tensorrt_rtx`.
        sizes_hw: input sizes to build for, where the stage takes several.
        buckets: batch sizes to build for.
        cache: folder of cached engines; None: `engine_folder()`.

    Raises:
        RunnerError: no GPU, no TensorRT, no sample to check with, or an engine that disagrees with onnxruntime.
    """
    demand_gpu(
        module
    )  # before anything of TensorRT: without a driver its runtime ends the process
    trt = _import(module)
    device = Device()
    reference = OnnxRunner(path, stage)
    offered = profiles(reference.inputs, sizes_hw, buckets)
    key = EngineKey(
        stage,
        f"{module} {trt.__version__}",
        device.architecture,
        hashlib.sha256(path.read_bytes()).hexdigest(),
        offered,
    )
    sample = load_sample(path)

    def runner(engine: Engine) -> TensorRtRunner:
        return TensorRtRunner(
            engine, stage, reference.inputs, offered, f"{key.runtime} on {device.name}"
        )

    engine = checked_engine(
        key,
        EngineCache(cache or engine_folder()),
        make=lambda: build(trt, path, stage, reference.inputs, offered),
        load=lambda blob: DeviceEngine.load(trt, blob, device),
        check=lambda engine: check(
            runner(engine), reference, sample, reference.inputs, offered, tolerance_mm
        ),
    )
    return runner(engine)


def checked_engine(
    key: EngineKey,
    cache: EngineCache,
    *,
    make: Callable[[], bytes],
    load: Callable[[bytes], Engine | None],
    check: Callable[[Engine], None],
) -> Engine:
    """The cached engine, or else a new one, which is cached; either has passed `check`.

    A cached one is checked again: the driver may be another, and engines made ahead, without a GPU, have never run.

    Raises:
        RunnerError: the new engine cannot be loaded, or fails its check.
    """
    cached = cache.load(key)
    if cached is not None:
        try:
            return _passed(load(cached), key, check)
        except RunnerError as error:
            log.warning("%s: building the engine again: %s", key.stage, error)
    blob = make()
    engine = _passed(load(blob), key, check)
    cache.store(key, blob)
    return engine


def _passed(
    engine: Engine | None, key: EngineKey, check: Callable[[Engine], None]
) -> Engine:
    if engine is None:
        raise RunnerError(
            f"{key.stage}: {key.runtime} cannot load its engine on {key.architecture}"
        )
    try:
        check(engine)
    except BaseException:
        engine.close()
        raise
    return engine


def check(
    runner: Runner,
    reference: Runner,
    sample: Arrays,
    inputs: Mapping[str, TensorSpec],
    offered: Sequence[Profile],
    tolerance_mm: float,
) -> None:
    """Compares every profile, at its largest batch, with the reference, which gets the items one by one.

    Raises:
        RunnerError: a joint is off by more than `tolerance_mm`, or the sample shows nobody.
    """
    people = 0
    for profile in offered:
        items = fitted_sample(sample, inputs, profile)
        alone = [
            reference.run({name: array[[i]] for name, array in items.items()})
            for i in range(len(next(iter(items.values()))))
        ]
        rows = np.arange(profile.buckets[-1]) % len(alone)
        want = {
            name: np.concatenate([outputs[name] for outputs in alone])[rows]
            for name in alone[0]
        }
        found = agreement(
            want,
            runner.run({name: array[rows] for name, array in items.items()}),
            min_score=_SEEN,
        )
        log.info("%s at %s: %s", runner.provider, profile, found)
        if found.joints_mm > tolerance_mm:
            raise RunnerError(
                f"{runner.provider} built a wrong engine: at {profile} a joint lies "
                f"{found.joints_mm:.1f} mm from {reference.provider}'s, {tolerance_mm:g} allowed"
            )
        people += found.people
    if people == 0:
        raise RunnerError(
            "the sample shows nobody: the engine cannot be checked with it"
        )


def engine_folder() -> Path:
    """Default folder of cached engines."""
    return (
        Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        / "posecascade"
        / "engines"
    )


def _import(module: str) -> TensorRT:
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise RunnerError(
            f"{module} cannot be imported ({error}): pip install 'posecascade[gpu]', "
            "or choose another runtime"
        ) from error


def _joined(
    pieces: Sequence[tuple[dict[str, NDArray[Any]], int]],
) -> dict[str, NDArray[Any]]:
    """One batch again, without the padding."""
    return {
        name: np.concatenate([outputs[name][:count] for outputs, count in pieces])
        for name in pieces[0][0]
    }
