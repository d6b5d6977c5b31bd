"""Executors of the stages: one file per runtime."""

from collections.abc import Mapping
from pathlib import Path

from models.errors import RunnerError
from models.records import Stage
from models.runners.base import Arrays, Runner, StageBatch
from models.runners.onnx import OnnxRunner
from models.runners.providers import CPU, CUDA

__all__ = ["RUNTIMES", "Arrays", "Runner", "StageBatch", "load_runner"]

_PROVIDERS: Mapping[str, str] = {"onnxruntime": CPU, "onnxruntime-gpu": CUDA}
RUNTIMES = tuple(_PROVIDERS)
"""Names accepted by `load_runner`."""


def load_runner(stage: Stage, path: Path, *, runtime: str = "onnxruntime", threads: int = 2) -> Runner:
    """The stage in `path` on `runtime`.

    Raises:
        RunnerError: no such runtime, its package is missing, or it cannot run here.
    """
    if runtime not in _PROVIDERS:
        raise RunnerError(f"runtime must be one of {', '.join(RUNTIMES)}, got {runtime!r}")
    return OnnxRunner(path, stage, threads=threads, provider=_PROVIDERS[runtime])
