"""The three stages exported as one set of weights: nothing is in its place until all of it has been checked."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import cast

from torch import nn

from export.frames import read_frames, stage_inputs
from export.manifest import MIN_SCORE, describe, write_manifest
from export.parity import TOLERANCE_MM, Parity, merged, parity
from export.to_onnx import StageModule, export_stage
from models.arrays import Image
from models.errors import ManifestError
from models.manifest import StageSpec, load_manifest
from models.networks import load_stage
from models.networks.torch_runner import TorchRunner
from models.records import Stage
from models.runners import load_runner
from models.runners.samples import sample_path, save_sample

log = logging.getLogger(__name__)

SAMPLE_ITEMS = {Stage.COARSE: 1, Stage.REFINE: 2, Stage.EXPERT: 2}


@dataclass(frozen=True, slots=True)
class Exported:
    """One stage before and after."""

    module: StageModule
    path: Path
    spec: StageSpec


def release(modules: Mapping[Stage, StageModule], folder: Path, frames: Sequence[Path]) -> dict[Stage, Parity]:
    """Writes the ONNX files, a sample of inputs beside each, and the manifest to `folder`.

    Raises:
        ValueError: a frame cannot be read.
        ManifestError: an exported stage differs from its module.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=folder, prefix=".export-") as fresh:
        exported = {stage: _exported(module, Path(fresh)) for stage, module in modules.items()}
        parities = compare(exported, read_frames(frames), samples=True)
        for one in exported.values():
            for file in (one.path, sample_path(one.path)):
                file.replace(folder / file.name)
    write_manifest(folder, {stage: one.spec for stage, one in exported.items()}, parities)
    return parities


def check(modules: Mapping[Stage, StageModule], folder: Path, frames: Sequence[Path]) -> dict[Stage, Parity]:
    """Compares the weights in `folder` with the modules that they are said to come from.

    Raises:
        ValueError: a frame cannot be read.
        ManifestError: the folder's files do not fit together, or differ from the modules.
    """
    manifest = load_manifest(folder)
    exported = {stage: Exported(module, manifest.path(stage), manifest.stages[stage])
                for stage, module in modules.items()}
    return compare(exported, read_frames(frames))


def load_modules(checkpoints: Sequence[Path]) -> dict[Stage, StageModule]:
    """One module of each stage, in the cascade's order; checkpoints may come in any.

    Raises:
        ValueError: a file is no checkpoint, or a stage is lacking.
    """
    modules: dict[Stage, StageModule] = {module.stage: module for module in map(load_stage, checkpoints)}
    lacking = [stage for stage in Stage if stage not in modules]
    if lacking:
        raise ValueError(f"want a checkpoint of each stage, got none of {', '.join(lacking)}")
    return {stage: modules[stage] for stage in Stage}


def compare(exported: Mapping[Stage, Exported], frames: Iterable[Image], *, samples: bool = False,
            min_score: float = MIN_SCORE) -> dict[Stage, Parity]:
    """Torch against the files on what the cascade asks of each stage; `samples` are saved beside the files.

    Raises:
        ManifestError: a joint differs by more than `TOLERANCE_MM`.
    """
    runners = {stage: load_runner(stage, one.path) for stage, one in exported.items()}
    specs = {stage: one.spec for stage, one in exported.items()}
    inputs = stage_inputs(specs, runners, frames, min_score=min_score)
    parities: dict[Stage, Parity] = {}
    for stage, one in exported.items():
        found = parity(TorchRunner(cast(nn.Module, one.module)), runners[stage], inputs[stage], min_score=min_score)
        log.info("%s: %.4f mm from torch, %.4f mm in a batch of %d, %d people", stage, found.with_torch.joints_mm,
                 found.in_batch.joints_mm, found.largest_batch, found.with_torch.people)
        if not found.joints_mm <= TOLERANCE_MM:
            raise ManifestError(f"{one.path} is off by {found.joints_mm:.2f} mm, {TOLERANCE_MM:g} allowed")
        if samples:
            save_sample(one.path, {name: array[: SAMPLE_ITEMS[stage]]
                                   for name, array in merged(inputs[stage])[0].items()})
        parities[stage] = found
    return parities


def _exported(module: StageModule, folder: Path) -> Exported:
    path = folder / f"{module.stage}.onnx"
    log.info("%s: exporting", module.stage)
    export_stage(module, path)
    spec = describe(module, path)
    log.info("%s: %.2f MB, %.3f GMAC, %.1f ms", module.stage, spec.bytes / 1e6, spec.gmacs, spec.cost_ms)
    return Exported(module, path, spec)
