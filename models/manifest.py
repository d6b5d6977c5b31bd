"""What is known of the shipped weights: read once, checked against the files, then trusted."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from posecascade.models.calibration import Calibration
from posecascade.models.errors import ManifestError
from posecascade.models.records import Stage

CONTRACT = 1
"""Raised whenever a stage's inputs, outputs or their meaning change."""

WEIGHTS = Path(__file__).parent / "weights"


@dataclass(frozen=True, slots=True)
class StageSpec:
    """One stage's file and what it costs."""

    file: str
    sha256: str
    bytes: int
    input_sizes_hw: tuple[tuple[int, int], ...]
    """Input sizes (h, w): several for `coarse`, one for the others."""
    outputs: tuple[str, ...]
    params: int
    gmacs: float
    """At the first input size, for one item."""
    cost_ms: float
    """Of one more item on the machine it was measured on; routing reckons with it."""
    batch_buckets: tuple[int, ...]
    licence: str
    origin: str
    parity_mm: float
    """Largest difference of a joint between torch and ONNX on real frames."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """`manifest.json` of a weights folder."""

    name: str
    version: str
    contract: int
    skeleton: str
    people_slots: int
    """People a frame can hold."""
    min_score: float
    """Default of `Options.min_score`."""
    stages: Mapping[Stage, StageSpec]
    calibration: Calibration
    weights_sha256: str
    """Digest of all the stages' digests: the version of the weights as a whole."""
    folder: Path
    raw: dict[str, Any] = field(repr=False, default_factory=dict)

    def path(self, stage: Stage) -> Path:
        return self.folder / self.stages[stage].file


def load_manifest(folder: Path = WEIGHTS) -> Manifest:
    """Reads `manifest.json` and checks every file it names.

    Raises:
        ManifestError: something is missing, damaged or of another contract; names the file and the reason.
    """
    path = folder / "manifest.json"
    try:
        raw = json.loads(path.read_text())
    except FileNotFoundError:
        raise ManifestError(
            f"{path} is missing: weights are made by `posecascade export`"
        ) from None
    except json.JSONDecodeError as error:
        raise ManifestError(f"{path} is not JSON: {error}") from error
    manifest = _manifest(raw, folder, path)
    for stage, spec in manifest.stages.items():
        _check_file(manifest.path(stage), spec)
    return manifest


def _manifest(raw: dict[str, Any], folder: Path, path: Path) -> Manifest:
    if raw.get("contract") != CONTRACT:
        raise ManifestError(
            f"{path} is of contract {raw.get('contract')}, this program of {CONTRACT}: export again"
        )
    try:
        stages = {Stage(name): _spec(table) for name, table in raw["stages"].items()}
        manifest = Manifest(
            name=raw["name"],
            version=raw["version"],
            contract=raw["contract"],
            skeleton=raw["skeleton"],
            people_slots=raw["people_slots"],
            min_score=raw["min_score"],
            stages=stages,
            calibration=Calibration.read(raw["calibration"]),
            weights_sha256=combined_sha256(raw["stages"]),
            folder=folder,
            raw=raw,
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ManifestError(f"{path} lacks or garbles {error}") from error
    missing = set(Stage) - set(stages)
    if missing:
        raise ManifestError(f"{path} lacks the stages {', '.join(sorted(missing))}")
    return manifest


def _spec(table: dict[str, Any]) -> StageSpec:
    known = dict(table)
    known["input_sizes_hw"] = tuple(
        (int(h), int(w)) for h, w in known["input_sizes_hw"]
    )
    known["outputs"], known["batch_buckets"] = (
        tuple(known["outputs"]),
        tuple(known["batch_buckets"]),
    )
    return StageSpec(**known)


def _check_file(path: Path, spec: StageSpec) -> None:
    if not path.exists():
        raise ManifestError(f"{path} is missing, though manifest.json names it")
    found = sha256(path)
    if found != spec.sha256:
        raise ManifestError(
            f"{path} has sha256 {found[:12]}..., manifest.json says {spec.sha256[:12]}...: "
            "export again"
        )


def sha256(path: Path) -> str:
    """Hex digest of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def combined_sha256(stages: Mapping[str, Mapping[str, Any]]) -> str:
    """Digest of the stages' digests, in the cascade's order."""
    return hashlib.sha256(
        "".join(stages[stage]["sha256"] for stage in Stage).encode()
    ).hexdigest()
