"""TensorRT engines made before the service needs them: where the GPU is, or ahead of it where none is."""

import importlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from posecascade.models.errors import RunnerError
from posecascade.models.manifest import load_manifest
from posecascade.models.runners import load_runner
from posecascade.models.runners.engines import EngineCache, EngineKey, TensorRT, build
from posecascade.models.runners.onnx import OnnxRunner
from posecascade.models.runners.profiles import profiles
from posecascade.models.runners.tensorrt import engine_folder


def build_engines(
    weights: Path, *, runtime: str, cache: Path | None = None
) -> Iterator[str]:
    """Builds, checks and stores the engines of the GPU at hand; yields what each stage will run on.

    Raises:
        ManifestError: the weights do not fit together.
        RunnerError: no GPU, no TensorRT, or an engine that disagrees with onnxruntime.
    """
    manifest = load_manifest(weights)
    for stage, spec in manifest.stages.items():
        runner = load_runner(
            stage,
            manifest.path(stage),
            runtime=runtime,
            sizes_hw=spec.input_sizes_hw,
            buckets=spec.batch_buckets,
            cache=cache,
        )
        yield f"{stage}: {runner.provider}"
        runner.close()


def build_ahead(
    weights: Path, *, architectures: Sequence[str], cache: Path | None = None
) -> Iterator[str]:
    """Builds and stores engines of TensorRT-RTX for GPUs that are not here; the first start there checks them.

    Args:
        architectures: such as `SM89`.

    Raises:
        ManifestError: the weights do not fit together.
        RunnerError: TensorRT-RTX is not installed, cannot build for the architecture, or cannot parse a stage.
    """
    try:
        trt = importlib.import_module("tensorrt_rtx")
    except ImportError as error:
        raise RunnerError(
            f"building without a GPU needs tensorrt-rtx-cu13 ({error})"
        ) from error
    manifest = load_manifest(weights)
    engines = EngineCache(cache or engine_folder())
    for name in architectures:
        if not hasattr(trt.ComputeCapability, name):
            raise RunnerError(
                f"TensorRT-RTX {trt.__version__} builds for {_offered(trt)}, not for {name}"
            )
        for stage, spec in manifest.stages.items():
            path = manifest.path(stage)
            inputs = OnnxRunner(path, stage).inputs
            offered = profiles(inputs, spec.input_sizes_hw, spec.batch_buckets)
            key = EngineKey(
                stage,
                f"tensorrt_rtx {trt.__version__}",
                name.replace("SM", "sm_"),
                spec.sha256,
                offered,
            )
            engine = build(trt, path, stage, inputs, offered, architectures=[name])
            engines.store(key, engine)
            yield f"{engines.path(key)}: {len(engine) / 1e6:.1f} MB"


def _offered(trt: TensorRT) -> str:
    return ", ".join(
        name for name in dir(trt.ComputeCapability) if name.startswith("SM")
    )
