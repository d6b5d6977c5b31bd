"""Executors of the stages: one file per runtime."""

from collections.abc import Sequence
from pathlib import Path

from posecascade.models.errors import RunnerError
from posecascade.models.records import Stage
from posecascade.models.runners.base import Arrays, Runner, StageBatch
from posecascade.models.runners.onnx import OnnxRunner
from posecascade.models.runners.profiles import SizeHW
from posecascade.models.runners.providers import CPU, CUDA
from posecascade.models.runners.tensorrt import load_tensorrt

__all__ = ["RUNTIMES", "Arrays", "Runner", "StageBatch", "load_runner"]

_PROVIDERS = {"onnxruntime": CPU, "onnxruntime-gpu": CUDA}
_MODULES = {"tensorrt": "tensorrt", "tensorrt-rtx": "tensorrt_rtx"}
RUNTIMES = (*_PROVIDERS, *_MODULES)
"""Names accepted by `load_runner`."""


def load_runner(
    stage: Stage,
    path: Path,
    *,
    runtime: str = "onnxruntime",
    threads: int = 2,
    sizes_hw: Sequence[SizeHW] = (),
    buckets: Sequence[int] = (1, 2, 4, 8),
    cache: Path | None = None,
) -> Runner:
    """The stage in the ONNX file `path` on `runtime`.

    Args:
        threads: of the CPU; TensorRT has no use for them.
        sizes_hw: input sizes of a stage that takes several, for TensorRT, which builds for each.
        buckets: batch sizes that TensorRT builds for.
        cache: folder of TensorRT's engines; None: the user's cache folder.

    Raises:
        RunnerError: no such runtime, its package is missing, or it cannot run here.
    """
    if runtime in _PROVIDERS:
        return OnnxRunner(path, stage, threads=threads, provider=_PROVIDERS[runtime])
    if runtime in _MODULES:
        return load_tensorrt(
            path,
            stage,
            module=_MODULES[runtime],
            sizes_hw=sizes_hw,
            buckets=buckets,
            cache=cache,
        )
    raise RunnerError(f"runtime must be one of {', '.join(RUNTIMES)}, got {runtime!r}")
