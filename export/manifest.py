"""Writes `manifest.json`: what serving has to know of the weights beside it."""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from posecascade.export.graph_cost import gmacs, item_ms, params
from posecascade.export.parity import Parity
from posecascade.export.to_onnx import StageModule
from posecascade.models.lab.fitting.calibration import neutral
from posecascade.models.lab.networks.coarse import SLOTS
from posecascade.models.manifest import (
    CONTRACT,
    StageSpec,
    combined_sha256,
    load_manifest,
    sha256,
)
from posecascade.models.records import Stage
from posecascade.models.runners import Arrays, load_runner
from posecascade.models.skeleton import JOINTS

MANIFEST = "manifest.json"
LICENCE = "Apache-2.0"
ORIGIN = {
    Stage.COARSE: "MoveNet MultiPose (Google, Apache-2.0); head for 3D and its spread trained here",
    Stage.REFINE: "MoveNet Lightning, BlazePose lite (Google, Apache-2.0); head for 3D and its spread trained here",
    Stage.EXPERT: "MoveNet Thunder, BlazePose full (Google, Apache-2.0); head for 3D and its spread trained here",
}
BUCKETS = {
    Stage.COARSE: (1, 2, 4),
    Stage.REFINE: (1, 2, 4, 8),
    Stage.EXPERT: (1, 2, 4, 8),
}
"""Batch sizes that are warmed up, and that TensorRT is built for."""

TIMED_BATCH = {Stage.COARSE: 1, Stage.REFINE: 4, Stage.EXPERT: 4}
"""People of a frame come together: the time of one more is a share of a batch."""

MIN_SCORE = 0.3

COARSE_SIZES_HW = ((256, 448), (448, 256), (320, 320))


def describe(module: StageModule, path: Path, *, threads: int = 2) -> StageSpec:
    """The exported stage, counted and timed; its parity is not known yet."""
    stage = module.stage
    example = {
        name: value.numpy()
        for name, value in module.example_inputs(TIMED_BATCH[stage]).items()
    }
    runner = load_runner(stage, path, threads=threads)
    one = {name: array[:1] for name, array in example.items()}
    return StageSpec(
        file=path.name,
        sha256=sha256(path),
        bytes=path.stat().st_size,
        input_sizes_hw=_sizes_hw(stage, example),
        outputs=tuple(runner.run(one)),
        params=params(path),
        gmacs=round(gmacs(path, one), 4),
        cost_ms=round(item_ms(runner, example, threads=threads), 2),
        batch_buckets=BUCKETS[stage],
        licence=LICENCE,
        origin=ORIGIN[stage],
        parity_mm=math.nan,
    )


def _sizes_hw(stage: Stage, example: Arrays) -> tuple[tuple[int, int], ...]:
    if stage is Stage.COARSE:
        return COARSE_SIZES_HW
    height, width = example["crop_bgr"].shape[1:3]
    return ((height, width),)


def write_manifest(
    folder: Path, specs: Mapping[Stage, StageSpec], parities: Mapping[Stage, Parity]
) -> Path:
    """Writes `folder/manifest.json` and reads it back.

    What was fitted to the weights (calibration, the default score) stays if the weights are the same as before.

    Raises:
        ManifestError: what was written does not fit together.
    """
    stages = {
        str(stage): _rounded(asdict(replace(spec, parity_mm=parities[stage].joints_mm)))
        for stage, spec in specs.items()
    }
    fitted = _fitted_to(folder / MANIFEST, combined_sha256(stages))
    manifest = {
        "name": "posecascade",
        "version": version("posecascade"),
        "contract": CONTRACT,
        "skeleton": "cascade25",
        "joints": JOINTS,
        "people_slots": SLOTS,
        **fitted,
        "stages": stages,
        "parity": {
            str(stage): _rounded(found.as_json()) for stage, found in parities.items()
        },
    }
    partial = folder / f"{MANIFEST}.partial"
    partial.write_text(json.dumps(manifest, indent=1) + "\n")
    partial.replace(folder / MANIFEST)
    load_manifest(folder)
    return folder / MANIFEST


def _fitted_to(path: Path, weights_sha256: str) -> dict[str, Any]:
    """The fitted parts of an earlier manifest of the same weights; else those that change nothing."""
    try:
        before = json.loads(path.read_text())
        if combined_sha256(before["stages"]) == weights_sha256:
            return {name: before[name] for name in ("min_score", "calibration")}
    except (OSError, json.JSONDecodeError, KeyError):
        pass  # none yet, or an unreadable one: it is about to be replaced
    return {"min_score": MIN_SCORE, "calibration": neutral()}


def _rounded(table: Any) -> Any:
    """Six significant digits: more is noise that every export would change."""
    if isinstance(table, dict):
        return {name: _rounded(value) for name, value in table.items()}
    return float(f"{table:.6g}") if isinstance(table, (float, np.floating)) else table
