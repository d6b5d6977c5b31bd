"""TensorRT engines: built from ONNX, and cached on disk for as long as they fit.

An engine fits one TensorRT version, one GPU architecture and one network (NVIDIA/TensorRT 564, 2176); a patch update
of the library makes the cached file useless. So each of these is in the key, and what does not fit is built again.
"""

import functools
import hashlib
import json
import logging
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeAlias

from posecascade.models.errors import RunnerError
from posecascade.models.records import Stage
from posecascade.models.runners.profiles import Profile
from posecascade.models.runners.signature import TensorSpec

log = logging.getLogger(__name__)

TensorRT: TypeAlias = Any
"""The module `tensorrt` or `tensorrt_rtx`: neither has stubs that mypy can read."""


@dataclass(frozen=True, slots=True)
class EngineKey:
    """All that an engine depends on."""

    stage: Stage
    runtime: str
    """Name and version of the library."""
    architecture: str
    """Of the GPU, e.g. `sm_89`."""
    onnx_sha256: str
    profiles: tuple[Profile, ...]

    def digest(self) -> str:
        return hashlib.sha256(json.dumps(asdict(self)).encode()).hexdigest()


class EngineCache:
    """Engines in a folder, one file each: a line with the engine's own sha256, then the engine."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path(self, key: EngineKey) -> Path:
        return self._folder / f"{key.stage}-{key.digest()[:24]}.engine"

    def load(self, key: EngineKey) -> bytes | None:
        """The engine of that key; None where there is none, or only a damaged one."""
        try:
            head, _, engine = self.path(key).read_bytes().partition(b"\n")
        except OSError:
            return None
        if head.decode("ascii", "replace") != hashlib.sha256(engine).hexdigest():
            log.warning("%s is damaged: building the engine again", self.path(key))
            return None
        return engine

    def store(self, key: EngineKey, engine: bytes) -> None:
        """Keeps an engine. A folder that cannot be written costs the next start a build, and is no error."""
        path = self.path(key)
        partial = path.with_suffix(f".{os.getpid()}.partial")
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            partial.write_bytes(
                hashlib.sha256(engine).hexdigest().encode() + b"\n" + engine
            )
            partial.replace(path)  # a reader sees the whole file or none
        except OSError as error:
            log.warning(
                "cannot keep the engine in %s (%s): it will be built at every start",
                self._folder,
                error,
            )


@functools.cache
def engine_log(trt: TensorRT) -> Any:
    """TensorRT's messages on our log: one for the process, as TensorRT keeps the first that it was ever given."""
    levels = {
        trt.ILogger.INTERNAL_ERROR: logging.ERROR,
        trt.ILogger.ERROR: logging.ERROR,
        trt.ILogger.WARNING: logging.WARNING,
        trt.ILogger.INFO: logging.DEBUG,
        trt.ILogger.VERBOSE: 0,
    }

    class Log(trt.ILogger):  # type: ignore[misc]  # the base class comes with the module
        def __init__(self) -> None:
            trt.ILogger.__init__(self)

        def log(self, severity: Any, message: str) -> None:
            if levels[severity]:
                log.log(levels[severity], "TensorRT: %s", message.strip())

    return Log()


def progress_log(trt: TensorRT, stage: Stage, *, every_s: float = 5.0) -> Any:
    """Progress of a build on our log: a build of minutes without a word looks like a hang (roboflow/inference 2703)."""

    class Progress(trt.IProgressMonitor):  # type: ignore[misc]  # the base class comes with the module
        def __init__(self) -> None:
            trt.IProgressMonitor.__init__(self)
            self.steps: dict[str, int] = {}
            self.said_s = time.monotonic()

        def phase_start(self, phase: str, parent: str | None, steps: int) -> None:
            self.steps[phase] = steps
            if parent is None:
                log.info("%s: %s", stage, phase)

        def step_complete(self, phase: str, step: int) -> bool:
            if time.monotonic() - self.said_s >= every_s:
                self.said_s = time.monotonic()
                log.info(
                    "%s: %s %d of %d", stage, phase, step + 1, self.steps.get(phase, 0)
                )
            return True  # go on

        def phase_finish(self, phase: str) -> None:
            self.steps.pop(phase, None)

    return Progress()


def build(
    trt: TensorRT,
    onnx: Path,
    stage: Stage,
    inputs: Mapping[str, TensorSpec],
    profiles: Sequence[Profile],
    *,
    architectures: Sequence[str] = (),
) -> bytes:
    """The engine of the network in `onnx`, with one optimisation profile each for `profiles`.

    Networks are strongly typed: the precision is the file's.

    Args:
        architectures: `SM89` and the like, to build without a GPU (TensorRT-RTX); empty: the GPU at hand.

    Raises:
        RunnerError: the network cannot be parsed or built; with TensorRT's message.
    """
    logger = engine_log(trt)
    progress = progress_log(trt, stage)
    builder = trt.Builder(logger)
    network = builder.create_network(
        1 << int(trt.NetworkDefinitionCreationFlag.STRONGLY_TYPED)
    )
    parser = trt.OnnxParser(network, logger)
    if not parser.parse_from_file(str(onnx)):
        raise RunnerError(
            f"TensorRT cannot parse {onnx}: "
            + "; ".join(parser.get_error(i).desc() for i in range(parser.num_errors))
        )
    config = builder.create_builder_config()
    config.progress_monitor = progress
    # Joints are read at the place of a maximum, and TF32's rounding (2^-10) moves it where two places nearly tie.
    config.clear_flag(trt.BuilderFlag.TF32)
    for profile in profiles:
        config.add_optimization_profile(_optimization_profile(builder, inputs, profile))
    if architectures:
        config.num_compute_capabilities = len(architectures)
        for index, name in enumerate(architectures):
            config.set_compute_capability(getattr(trt.ComputeCapability, name), index)
    started_s = time.monotonic()
    log.info(
        "%s: building for %s",
        stage,
        ", ".join(f"{p.size_hw or ''} batch {p.buckets}".strip() for p in profiles),
    )
    engine = builder.build_serialized_network(network, config)
    if engine is None:
        raise RunnerError(f"TensorRT cannot build {onnx}: the log says why")
    log.info("%s: built in %.1f s", stage, time.monotonic() - started_s)
    return bytes(engine)


def _optimization_profile(
    builder: Any, inputs: Mapping[str, TensorSpec], profile: Profile
) -> Any:
    made = builder.create_optimization_profile()
    for name, spec in inputs.items():
        least, usual, most = (
            profile.shape(spec, n)
            for n in (profile.buckets[0], profile.usual, profile.buckets[-1])
        )
        made.set_shape(name, least, usual, most)
    return made
