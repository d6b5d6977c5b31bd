"""Export of the three stages as one set of weights: no file is put in place before all have been checked."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import cast

from torch import nn

from posecascade.export.frames import read_frames, stage_inputs
from posecascade.export.manifest import MIN_SCORE, describe, write_manifest
from posecascade.export.parity import (
    MAX_UNSTABLE_SHARE,
    TOLERANCE_MM,
    Parity,
    merged,
    parity,
)
from posecascade.export.perturbed import PerturbedRunners
from posecascade.export.to_onnx import StageModule, export_stage
from posecascade.models.arrays import Image
from posecascade.models.errors import ManifestError
from posecascade.models.lab.networks import load_stage
from posecascade.models.lab.networks.torch_runner import TorchRunner
from posecascade.models.manifest import StageSpec, load_manifest
from posecascade.models.records import Stage
from posecascade.models.runners import load_runner
from posecascade.models.runners.samples import sample_path, save_sample

log = logging.getLogger(__name__)

SAMPLE_ITEMS = {Stage.COARSE: 1, Stage.REFINE: 2, Stage.EXPERT: 2}


@dataclass(frozen=True, slots=True)
class Exported:
    """One stage before and after."""

    module: StageModule
    path: Path
    spec: StageSpec


def release(
    modules: Mapping[Stage, StageModule], folder: Path, frames: Sequence[Path]
) -> dict[Stage, Parity]:
    """Writes the ONNX files, a sample of inputs beside each, and the manifest to `folder`.

    Raises:
        ValueError: a frame cannot be read.
        ManifestError: an exported stage differs from its module.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=folder, prefix=".export-") as fresh:
        exported = {
            stage: _exported(module, Path(fresh)) for stage, module in modules.items()
        }
        parities = compare(exported, read_frames(frames), samples=True)
        for one in exported.values():
            for file in (one.path, sample_path(one.path)):
                file.replace(folder / file.name)
    write_manifest(
        folder, {stage: one.spec for stage, one in exported.items()}, parities
    )
    return parities


def check(
    modules: Mapping[Stage, StageModule], folder: Path, frames: Sequence[Path]
) -> dict[Stage, Parity]:
    """Compares the weights in `folder` with the modules that they are said to come from.

    Raises:
        ValueError: a frame cannot be read.
        ManifestError: the folder's files do not fit together, or differ from the modules.
    """
    manifest = load_manifest(folder)
    exported = {
        stage: Exported(module, manifest.path(stage), manifest.stages[stage])
        for stage, module in modules.items()
    }
    return compare(exported, read_frames(frames))


def load_modules(checkpoints: Sequence[Path]) -> dict[Stage, StageModule]:
    """One module of each stage, in the cascade's order; checkpoints may come in any.

    Raises:
        ValueError: a file is no checkpoint, or a stage is lacking.
    """
    modules: dict[Stage, StageModule] = {
        module.stage: module for module in map(load_stage, checkpoints)
    }
    lacking = [stage for stage in Stage if stage not in modules]
    if lacking:
        raise ValueError(
            f"want a checkpoint of each stage, got none of {', '.join(lacking)}"
        )
    return {stage: modules[stage] for stage in Stage}


def compare(
    exported: Mapping[Stage, Exported],
    frames: Iterable[Image],
    *,
    samples: bool = False,
    min_score: float = MIN_SCORE,
) -> dict[Stage, Parity]:
    """Torch against the files on what the cascade asks of each stage; `samples` are saved beside the files.

    Raises:
        ManifestError: a joint of a stable person differs by more than `TOLERANCE_MM`, or too many are unstable.
    """
    runners = {stage: load_runner(stage, one.path) for stage, one in exported.items()}
    specs = {stage: one.spec for stage, one in exported.items()}
    inputs = stage_inputs(specs, runners, frames, min_score=min_score)
    parities: dict[Stage, Parity] = {}
    for stage, one in exported.items():
        module = cast(nn.Module, one.module)
        found = parity(
            TorchRunner(module),
            runners[stage],
            inputs[stage],
            min_score=min_score,
            perturbed=PerturbedRunners(module),
        )
        _log_parity(stage, found)
        _require_parity(one.path, found)
        if samples:
            first = merged(inputs[stage])[0]
            count = SAMPLE_ITEMS[stage]
            save_sample(
                one.path, {name: array[:count] for name, array in first.items()}
            )
        parities[stage] = found
    return parities


def _log_parity(stage: Stage, found: Parity) -> None:
    log.info(
        "%s: %.4f mm from torch, %.4f mm in a batch of %d, %d people, %.1f %% unstable left out",
        stage,
        found.with_torch.joints_mm,
        found.in_batch.joints_mm,
        found.largest_batch,
        found.with_torch.people,
        100 * found.unstable_share,
    )


def _require_parity(path: Path, found: Parity) -> None:
    if not found.joints_mm <= TOLERANCE_MM:
        raise ManifestError(
            f"{path} is off by {found.joints_mm:.2f} mm, {TOLERANCE_MM:g} allowed"
        )
    if found.unstable_share > MAX_UNSTABLE_SHARE:
        raise ManifestError(
            f"{path}: rounding decides the pose of {found.unstable_share:.0%} of the people, "
            f"{MAX_UNSTABLE_SHARE:.0%} allowed"
        )


def _exported(module: StageModule, folder: Path) -> Exported:
    path = folder / f"{module.stage}.onnx"
    log.info("%s: exporting", module.stage)
    export_stage(module, path)
    spec = describe(module, path)
    log.info(
        "%s: %.2f MB, %.3f GMAC, %.1f ms",
        module.stage,
        spec.bytes / 1e6,
        spec.gmacs,
        spec.cost_ms,
    )
    return Exported(module, path, spec)
