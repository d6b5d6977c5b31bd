"""What each part of the deep stages is worth: the shipped weights with one part taken away at a time."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from posecascade.models.cascade.cascade import Cascade
from posecascade.models.lab.datasets.labelled import LabelledFolder, LabelledFrame
from posecascade.models.lab.evaluation.tables import cell, table
from posecascade.models.lab.networks.crop import CropStage
from posecascade.models.lab.networks.restored import restore_stage
from posecascade.models.lab.networks.torch_runner import TorchRunner
from posecascade.models.lab.scoring.figures import METRICS, Summary, draws_of, summarise
from posecascade.models.lab.scoring.run import run
from posecascade.models.lab.scoring.systems import CascadeSystem, RoutedBy
from posecascade.models.policies import AlwaysPolicy
from posecascade.models.records import Stage

DEEP: Final = (Stage.REFINE, Stage.EXPERT)
Change = Callable[[CropStage], None]
"""Takes something away from a stage, in place."""


def _weighing(**weights: float) -> Change:
    def change(stage: CropStage) -> None:
        stage.candidate_weights = replace(stage.candidate_weights, **weights)

    return change


def _correcting(**corrections: Any) -> Change:
    def change(stage: CropStage) -> None:
        stage.head.corrections = replace(stage.head.corrections, **corrections)

    return change


def _both(*changes: Change) -> Change:
    def change(stage: CropStage) -> None:
        for one in changes:
            one(stage)

    return change


VARIANTS: Final[dict[str, Change]] = {
    "as it ships": _weighing(),
    "without the prior's opinion": _weighing(prior=0.0),
    "without the regressed joints' opinion": _weighing(
        regressed=1e-6
    ),  # one of each joint has to weigh something
    "without BlazePose's opinion": _weighing(upright=0.0),
    "without the depth read in the picture": _correcting(depth_share=0.0),
    "without drawing onto rays": _correcting(ray_share=0.0),
    "without the flip test": _correcting(flip_test=False),
    "without the coarse lifter": _correcting(coarse_lifter=False),
    "MoveNet and the lifter alone": _both(
        _weighing(prior=0.0, upright=0.0),
        _correcting(
            depth_share=0.0, ray_share=0.0, flip_test=False, coarse_lifter=False
        ),
    ),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One variant of one stage, asked about everybody."""

    stage: Stage
    variant: str
    summary: Summary


def lines_of(
    cascade: Cascade,
    weights: Path,
    folder: LabelledFolder,
    *,
    rounds: int,
    progress: Callable[[Sequence[LabelledFrame]], Iterable[LabelledFrame]] = iter,
) -> Iterator[Line]:
    """A line for each variant of each deep stage, as they are ready.

    Args:
        cascade: gives `coarse`, which is the same throughout.
        weights: folder of the manifest's ONNX files, which the deep stages are restored from.
        folder: labelled frames.
        rounds: of the bootstrap.
        progress: wraps the frames of each pass, such as a progress bar.

    Raises:
        ValueError: the weights are no export of these stages.
    """
    draws = draws_of(len(folder.frames), rounds, np.random.default_rng(0))
    for stage in DEEP:
        for name, change in VARIANTS.items():
            module = restore_stage(stage, weights / cascade.manifest.stages[stage].file)
            assert isinstance(module, CropStage)
            change(module)
            changed = Cascade(
                cascade.manifest, {**cascade.runners, stage: TorchRunner(module)}
            )
            system = CascadeSystem(name, RoutedBy(changed, AlwaysPolicy(stage)))
            (one,) = run([system], folder.frames, progress=progress)
            yield Line(stage, name, summarise(one.scores, draws, says_3d=one.says_3d))


def as_markdown(folder: str, lines: Sequence[Line]) -> str:
    """The lines of one folder as a table, without the figures that nobody has there."""
    shown = [
        metric
        for metric in METRICS
        if any(np.isfinite(line.summary.figures[metric.key].value) for line in lines)
    ]
    rows = [
        [
            line.stage.value,
            line.variant,
            *(cell(line.summary.figures[m.key], m.digits) for m in shown),
        ]
        for line in lines
    ]
    return f"`{folder}`\n\n" + table(
        ["for all", "variant", *(metric.title for metric in shown)], rows
    )
