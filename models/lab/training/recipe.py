"""Recipes: TOML files that describe the training of a stage completely. Unknown keys are refused."""

import tomllib
from dataclasses import dataclass, field, fields, is_dataclass
from pathlib import Path
from types import NoneType
from typing import Any, get_args, get_type_hints

from posecascade.models.lab.training.losses import Weights
from posecascade.models.records import Stage


@dataclass(frozen=True, slots=True)
class Data:
    """Training data."""

    synthetic_assets: Path = Path("../shared/synth/assets")
    backgrounds: Path = Path("../shared/data/backgrounds")
    photos: Path | None = Path("../shared/data/train_coco_mini")
    """Labelled photos; only those whose licence allows it are read."""
    photo_views: int = 60
    """Random views of each photo."""
    frames: int = 8000
    """Rendered frames."""
    size_px: int = 512
    bodies: int = 160_000
    """Motion-capture bodies for the pairs without pictures."""
    cache: Path = Path("runs/cache")
    seed: int | None = None
    """Of the pictures and their views, so that fits of several seeds can share them; None: the recipe's."""


@dataclass(frozen=True, slots=True)
class Optimiser:
    """How the head is fitted."""

    steps: int = 8000
    batch: int = 512
    learning_rate: float = 1e-3
    weight_decay: float = 1e-2
    warm_up: int = 200
    average: float = 0.999
    """Decay of the moving average of the weights, which is what is kept."""
    simulated: float = 0.5
    """Share of a batch that comes from motion capture without pictures."""
    photos: float = 0.08
    """Share of a batch that comes from real photos."""
    checkpoint_every: int = 500


@dataclass(frozen=True, slots=True)
class Distil:
    """Distillation of the picture network before the head is fitted."""

    teacher: Path
    """ONNX file of a published network."""
    teacher_variant: str = "multipose"
    steps: int = 1200
    batch: int = 8
    learning_rate: float = 8e-5
    """Far below what a network from scratch takes: BatchNorm is folded, and 5e-4 destroys what is there."""
    weight_decay: float = 0.0
    warm_up: int = 20
    average: float = 0.99
    checkpoint_every: int = 100


@dataclass(frozen=True, slots=True)
class Survivors:
    """Whom a deep stage is trained on, see `survivors`: those whom a policy sends on from `coarse`, and some others."""

    weights: Path = Path("models/weights")
    """Folder of the manifest whose calibration and policies decide; its `coarse` is the recipe's."""
    policy: str = "threshold"
    price: float = 3.0
    """mm of error that a millisecond must remove. At the price of `balanced` nearly everybody is sent."""
    floor: float = 0.2
    """Share of people that is left to those who would not be sent."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """How to train one stage."""

    stage: Stage
    pretrained: Path
    """ONNX file of the published picture network."""
    pretrained_upright: Path | None = None
    """ONNX file of the published BlazePose; every deep stage needs one."""
    after: tuple[Path, ...] = ()
    """Checkpoints of the earlier stages, shallow to deep: their predictions are this stage's priors."""
    start: Path | None = None
    """Checkpoint whose head is trained further; None: the last one in `after`."""
    survivors: Survivors | None = None
    """None: everybody."""
    seed: int = 1
    distil: Distil | None = None
    """None: the picture network stays as published."""
    data: Data = field(default_factory=Data)
    optimiser: Optimiser = field(default_factory=Optimiser)
    losses: Weights = field(default_factory=Weights)

    @property
    def picture_seed(self) -> int:
        return self.seed if self.data.seed is None else self.data.seed


def load_recipe(path: Path) -> Recipe:
    """The recipe in a TOML file.

    Raises:
        ValueError: the file is missing, no TOML, or has a key or a value that no recipe has.
    """
    try:
        table = tomllib.loads(path.read_text())
    except FileNotFoundError:
        raise ValueError(
            f"{path}: no such recipe; see models/lab/training/recipes/"
        ) from None
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{path} is not TOML: {error}") from error
    recipe: Recipe = _record(Recipe, table, str(path))
    return recipe


def _record(kind: type[Any], table: dict[str, Any], where: str) -> Any:
    hints = get_type_hints(kind)
    unknown = set(table) - {f.name for f in fields(kind)}
    if unknown:
        raise ValueError(
            f"{where}: unknown key {', '.join(sorted(unknown))}; known are {', '.join(hints)}"
        )
    try:
        return kind(
            **{
                name: _value(hints[name], value, f"{where}: {name}")
                for name, value in table.items()
            }
        )
    except TypeError as error:
        raise ValueError(f"{where}: {error}") from error


def _given(kind: Any) -> Any:
    """The type of a value that is there, of one that may be None."""
    kinds = [one for one in get_args(kind) if one is not NoneType]
    return kinds[0] if NoneType in get_args(kind) else kind


def _value(kind: Any, value: Any, where: str) -> Any:
    kind = _given(kind)
    if is_dataclass(kind) and isinstance(kind, type):
        if not isinstance(value, dict):
            raise ValueError(f"{where} must be a table, got {value!r}")
        return _record(kind, value, where)
    if kind == tuple[Path, ...]:
        return tuple(Path(item) for item in value)
    plain = {
        Path: (str, Path),
        Stage: (str, Stage),
        float: (float, float),
        int: (int, int),
    }
    plain |= {bool: (bool, bool), str: (str, str)}
    accepts, make = plain[kind]
    if (isinstance(value, bool) and kind is not bool) or not isinstance(
        value, (accepts, int) if kind is float else accepts
    ):
        raise ValueError(f"{where} must be a {accepts.__name__}, got {value!r}")
    try:
        return make(value)
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from error
