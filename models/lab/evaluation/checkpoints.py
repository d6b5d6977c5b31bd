"""Checkpoints of one deep stage against each other, which differ in how their heads were trained.

    python -m posecascade.models.lab.evaluation.checkpoints \
        --before all/refine.pt --after survivors/refine.pt --data FOLDER...

For everybody, for the hardest third, and for those whom a router sends on; several checkpoints on each side are seeds
of one recipe, paired in their order and pooled. The picture is looked at once for all of them.
"""

import argparse
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from tqdm import tqdm

from posecascade.models.cascade.cascade import Cascade
from posecascade.models.errors import ModelError
from posecascade.models.lab.datasets.errors import DatasetError
from posecascade.models.lab.datasets.labelled import (
    LabelledFolder,
    LabelledFrame,
    read_folder,
)
from posecascade.models.lab.evaluation.comparison import (
    Chooser,
    Comparison,
    answered_by,
    compare,
)
from posecascade.models.lab.evaluation.tables import comparisons_table
from posecascade.models.lab.networks import load_stage
from posecascade.models.lab.networks.coarse import disagreement
from posecascade.models.lab.networks.crop import CropStage, Prior
from posecascade.models.lab.networks.lifter import contract_outputs
from posecascade.models.lab.networks.readout import Reading
from posecascade.models.lab.scoring.difficulty import hardest
from posecascade.models.lab.scoring.figures import draws_of
from posecascade.models.lab.scoring.run import Run, run
from posecascade.models.lab.scoring.systems import CascadeSystem, RoutedBy
from posecascade.models.manifest import WEIGHTS
from posecascade.models.policies import AlwaysPolicy, Policy
from posecascade.models.records import Stage
from posecascade.models.runners import Arrays, Runner

Progress = Callable[[Sequence[LabelledFrame]], Iterable[LabelledFrame]]
_PRIOR: Final = ("prior_px", "prior_rel_mm", "prior_sigma_mm", "prior_scores")


class Remembering:
    """A runner that is not run again on the batch it was last run on."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner
        self._last: tuple[Arrays, dict[str, NDArray[Any]]] | None = None

    @property
    def provider(self) -> str:
        return self._runner.provider

    def run(self, batch: Arrays) -> dict[str, NDArray[Any]]:
        """As the runner that it stands for."""
        if self._last is None or not _alike(self._last[0], batch):
            self._last = dict(batch), self._runner.run(batch)
        return dict(self._last[1])

    def close(self) -> None:
        self._runner.close()


class Looker:
    """The picture networks of a deep stage, as a runner that says what they read."""

    provider = "torch"

    def __init__(self, stage: CropStage) -> None:
        self.stage = stage

    def run(self, batch: Arrays) -> dict[str, NDArray[Any]]:
        """The columns of `Reading`."""
        with torch.inference_mode():
            reported = Prior(*(torch.from_numpy(batch[name]) for name in _PRIOR))
            reading = self.stage.read(torch.from_numpy(batch["crop_bgr"]), reported)
        return {name: value.numpy() for name, value in reading._asdict().items()}

    def close(self) -> None:
        """Holds nothing that needs freeing."""


class HeadRunner:
    """A deep stage whose head is its own and whose look is shared with others."""

    provider = "torch"

    def __init__(self, stage: CropStage, look: Runner) -> None:
        self._head = stage.head
        self._look = look

    def run(self, batch: Arrays) -> dict[str, NDArray[Any]]:
        """Outputs [N, ...] for inputs [N, ...]."""
        with torch.inference_mode():
            reading = Reading(
                **{
                    name: torch.from_numpy(value)
                    for name, value in self._look.run(batch).items()
                }
            )
            body = self._head(reading, torch.from_numpy(batch["intrinsics"]))
            predicted = contract_outputs(body) | {
                "disagreement": disagreement(reading, body)
            }
        return {name: value.numpy() for name, value in predicted.items()}

    def close(self) -> None:
        """Holds nothing that needs freeing."""


def compared(
    cascade: Cascade,
    before: Sequence[CropStage],
    after: Sequence[CropStage],
    folder: LabelledFolder,
    gates: Sequence[tuple[Policy, float]],
    *,
    rounds: int,
    progress: Progress = iter,
) -> Iterator[Comparison]:
    """What the second checkpoints change, all of them told the same by the same `coarse`.

    Args:
        cascade: gives `coarse` and the other deep stage. Everybody goes through all stages up to theirs.
        before: N checkpoints of one stage.
        after: N others, the same seeds in the same order.
        folder: labelled frames.
        gates: policies and their prices, which say who is sent on; no budget bounds them.
        rounds: of the bootstrap.
        progress: wraps the frames, such as a progress bar.

    Raises:
        ValueError: the checkpoints are not of one stage with the same picture networks.
    """
    stage = _same_look([*before, *after])
    shared = {one: Remembering(runner) for one, runner in cascade.runners.items()}
    look = Remembering(Looker(before[0]))
    systems = [
        CascadeSystem(
            "",
            RoutedBy(
                Cascade(cascade.manifest, {**shared, stage: HeadRunner(module, look)}),
                AlwaysPolicy(stage),
            ),
        )
        for module in (*before, *after)
    ]
    routers = [
        CascadeSystem(
            f"{policy.name} at {price:g}",
            RoutedBy(Cascade(cascade.manifest, shared), policy, price),
        )
        for policy, price in gates
    ]
    runs = run([*systems, *routers], folder.frames, progress=progress)
    old = runs[: len(before)]
    new = runs[len(before) : len(systems)]
    sent = runs[len(systems) :]
    hard = hardest(folder.frames)
    groups: dict[str, Chooser] = {
        "everybody": lambda frame, person: True,
        "hardest third": lambda frame, person: (frame, person) in hard,
    }
    for one in sent:
        groups[f"sent on by {one.name}"] = answered_by(one, Stage.REFINE, Stage.EXPERT)
        if stage is Stage.EXPERT:
            groups[f"sent to expert by {one.name}"] = answered_by(one, Stage.EXPERT)
    frames = len(folder.frames)
    draws = draws_of(frames, rounds, np.random.default_rng(0))
    draws = np.concatenate(
        [draws + frames * number for number in range(len(old))], axis=1
    )
    for who, chosen in groups.items():
        yield compare(
            who,
            _pooled("before", old),
            _pooled("after", new),
            _in_each(chosen, frames),
            draws,
        )


def _same_look(stages: Sequence[CropStage]) -> Stage:
    first = stages[0]
    for other in stages[1:]:
        if other.stage is not first.stage:
            raise ValueError(
                f"want checkpoints of one stage, got {first.stage} and {other.stage}"
            )
        theirs = {
            name: value
            for name, value in other.state_dict().items()
            if not name.startswith("head.")
        }
        if not all(
            torch.equal(value, first.state_dict()[name])
            for name, value in theirs.items()
        ):
            raise ValueError(
                "want checkpoints that differ in their heads alone, got other picture networks"
            )
    return first.stage


def _pooled(name: str, seeds: Sequence[Run]) -> Run:
    """One run after the other."""
    return Run(
        name,
        tuple(frame for one in seeds for frame in one.guesses),
        tuple(score for one in seeds for score in one.scores),
    )


def _in_each(chosen: Chooser, frames: int) -> Chooser:
    """The same people in every seed's copy of the frames."""
    return lambda frame, person: chosen(frame % frames, person)


def _alike(one: Arrays, other: Arrays) -> bool:
    return one.keys() == other.keys() and all(
        np.array_equal(one[name], other[name]) for name in one
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Prints a table; 0 done, 2 something asked for is wrong (one line says what)."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--before", type=Path, nargs="+", required=True, metavar="FILE.pt"
    )
    parser.add_argument(
        "--after", type=Path, nargs="+", required=True, metavar="FILE.pt"
    )
    parser.add_argument("--data", type=Path, nargs="+", required=True, metavar="FOLDER")
    parser.add_argument(
        "--every",
        type=int,
        default=1,
        metavar="N",
        help="only each N-th frame of a folder",
    )
    parser.add_argument(
        "--weights",
        type=Path,
        default=WEIGHTS,
        metavar="FOLDER",
        help="default: those that ship",
    )
    parser.add_argument(
        "--gate",
        nargs=2,
        action="append",
        default=[],
        metavar=("POLICY", "PRICE"),
        help="who is sent on; may be given several times",
    )
    parser.add_argument(
        "--rounds", type=int, default=1000, help="of the bootstrap (default 1000)"
    )
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args(argv)
    torch.set_num_threads(args.threads)
    try:
        _print(args)
    except (ValueError, ModelError, DatasetError) as error:
        print(f"checkpoints: {error}", file=sys.stderr)
        return 2
    return 0


def _print(args: argparse.Namespace) -> None:
    if len(args.before) != len(args.after) or args.every < 1:
        raise ValueError(
            "want as many checkpoints before as after, and --every of 1 or more"
        )
    cascade = Cascade.load(args.weights, threads=args.threads)
    known = cascade.manifest.calibration.policies
    unknown = [name for name, _ in args.gate if name not in known]
    if unknown:
        raise ValueError(
            f"--gate: no policy {', '.join(unknown)}; there are {', '.join(known)}"
        )
    gates = [(known[name], float(price)) for name, price in args.gate]
    before, after = (
        [_deep(path) for path in paths] for paths in (args.before, args.after)
    )
    found: dict[str, list[Comparison]] = {}
    for path in args.data:
        folder = read_folder(path)
        folder = replace(folder, frames=folder.frames[:: args.every])
        bar = partial(tqdm, desc=folder.name, unit="frame", leave=False, disable=None)
        found[folder.name] = list(
            compared(
                cascade, before, after, folder, gates, rounds=args.rounds, progress=bar
            )
        )
    print(comparisons_table(found))


def _deep(path: Path) -> CropStage:
    stage = load_stage(path)
    if not isinstance(stage, CropStage):
        raise ValueError(
            f"{path} is of {stage.stage}: want checkpoints of refine or of expert"
        )
    return stage


if __name__ == "__main__":
    sys.exit(main())
