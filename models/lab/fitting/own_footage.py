"""`posecascade calibrate`: the promise, and what `quality=balanced` means, on your own footage and without labels.

Everybody in it is sent along all routes; the deepest answers are taken for the truth. What needs labels (sigma, scores)
stays as it ships. The result is a folder of weights: the same networks, and a manifest with the new calibration.
"""

import argparse
import json
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
from tqdm import tqdm

from posecascade.models.cascade.cascade import Cascade
from posecascade.models.errors import ModelError
from posecascade.models.lab.datasets.errors import DatasetError
from posecascade.models.lab.datasets.labelled import LabelledFrame, read_folder
from posecascade.models.lab.datasets.unlabelled import write_unlabelled
from posecascade.models.lab.fitting.bounds import upper_bound
from posecascade.models.lab.fitting.operating_points import (
    BOUND_MM,
    answered,
    balanced_price,
    halves,
    operating_points,
    stated,
)
from posecascade.models.lab.fitting.policies import fit_policies
from posecascade.models.lab.scoring.recorded import Recorded, record
from posecascade.models.manifest import WEIGHTS, load_manifest
from posecascade.models.policies.serialized import read_policies
from posecascade.models.records import Stage

FRAMES: Final = 200
"""Of each video at least: 40 moments, see `datasets.unlabelled`."""
Load = Callable[..., Cascade]


class UsageError(ValueError):
    """The command line asks for what cannot be; one line."""


def main(argv: Sequence[str], *, load: Load = Cascade.load) -> int:
    """Writes a folder of weights.

    Args:
        argv: without the program's name and `calibrate`.
        load: makes the cascade of a weights folder, with so many `threads`.

    Returns:
        0; 2 when it could not be done, with one line on standard error that says why.
    """
    try:
        return _calibrate(_parser().parse_args(argv), load)
    except (UsageError, DatasetError, ModelError, OSError) as wrong:
        sys.stderr.write(f"posecascade calibrate: {wrong}\n")
        return 2


def recalibrated(
    calibration: Mapping[str, Any],
    table: Recorded,
    cost_ms: Mapping[Stage, float],
    *,
    footage: str,
    refit: bool = False,
) -> dict[str, Any]:
    """The calibration as the manifest holds it, its promises and balanced price made anew.

    Args:
        calibration: as the manifest holds it, under which `table` was recorded.
        table: nobody in it need be labelled.
        cost_ms: of one more person at each stage.
        footage: what it shows, for `fitted_on`.
        refit: fit the policies too, on one half of the pictures and moments; the promise is calibrated on the other.

    Raises:
        ValueError: nobody in the table would be answered, or `refit` and too few to halve.
    """
    people = answered(table)
    if not len(people.person):
        raise ValueError("found nobody: give footage with people in it")
    policies = calibration["policies"]
    test = people
    if refit:
        learn, test = halves(people)
        if not (len(learn.person) and len(test.person)):
            raise ValueError(
                "want two pictures or moments with people or more to fit policies on one half, got one"
            )
        policies = fit_policies([learn], cost_ms)
    default = next(iter(read_policies(policies).values()))
    what = (
        "policies, promises and balanced price"
        if refit
        else "promises and balanced price"
    )
    return dict(calibration) | {
        "policies": policies,
        "balanced_price": balanced_price(test, default, cost_ms),
        "promises": operating_points(test, default, cost_ms),
        "promised": stated(test),
        "fitted_on": f"{calibration['fitted_on']}; {what}: {footage}",
    }


def least_promise_mm(units: int) -> float:
    """What is promised of so many pictures or moments of which none loses anything: only more of them promise less."""
    return BOUND_MM * upper_bound(np.zeros(units))


def _calibrate(args: argparse.Namespace, load: Load) -> int:
    if args.out.exists():
        raise UsageError(
            f"--out {args.out} is there already: name a folder that is not"
        )
    if args.frames < 1:
        raise UsageError(f"--frames must be 1 or more, got {args.frames}")
    manifest = load_manifest(args.weights)
    cascade = load(args.weights, threads=args.threads)
    table = _recorded(cascade, args.paths, args.frames)
    cost = {stage: spec.cost_ms for stage, spec in manifest.stages.items()}
    footage = (
        args.name
        or f"own footage ({', '.join(path.name for path in args.paths)}), no labels"
    )
    try:
        fitted = recalibrated(
            manifest.raw["calibration"], table, cost, footage=footage, refit=args.refit
        )
    except ValueError as wrong:
        raise UsageError(wrong) from wrong
    shutil.copytree(args.weights, args.out)
    (args.out / "manifest.json").write_text(
        json.dumps(manifest.raw | {"calibration": fitted}, indent=2) + "\n"
    )
    sys.stdout.write("\n".join(_told(fitted, args.out)) + "\n")
    return 0


def _recorded(cascade: Cascade, paths: Sequence[Path], frames: int) -> Recorded:
    """All routes on everybody in the footage, whose frames are laid down for the while."""
    with tempfile.TemporaryDirectory(prefix="posecascade_") as held:
        write_unlabelled(Path(held), paths, frames)
        try:
            return record(
                cascade, [read_folder(Path(held))], progress=partial(_bar, "recording")
            )
        except ValueError as nobody:
            raise UsageError(nobody) from nobody


def _bar(name: str, frames: Sequence[LabelledFrame]) -> Iterable[LabelledFrame]:
    bar: Iterable[LabelledFrame] = tqdm(
        frames, desc=name, unit="frame", leave=False, disable=None
    )
    return bar


def _told(calibration: Mapping[str, Any], out: Path) -> list[str]:
    """What the calibration came to."""
    on = calibration["promised"]
    ladder = calibration["promises"]
    lines = [
        f"{on['people']} people in {on['units']} pictures or moments; balanced price "
        f"{calibration['balanced_price']:g} mm a ms",
        "price  promised mm  seen mm  deep ms a person",
    ]
    lines += [
        f"{step['price']:<5g}{step['extra_error_mm']:>13.1f}{step['mean_extra_error_mm']:>9.1f}"
        f"{step['deep_ms_per_person']:>18.1f}"
        for step in ladder
    ]
    return [
        *lines,
        f"Of {on['units']} pictures or moments nothing below {least_promise_mm(on['units']):.1f} mm can be "
        "promised; more footage promises less.",
        f"posecascade serve --weights {out}",
    ]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "posecascade calibrate",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "paths",
        type=Path,
        nargs="+",
        metavar="PATH",
        help="picture, video, or folder of them",
    )
    parser.add_argument(
        "--out",
        type=Path,
        required=True,
        metavar="FOLDER",
        help="of weights, made anew",
    )
    parser.add_argument(
        "--weights",
        type=Path,
        default=WEIGHTS,
        metavar="FOLDER",
        help="default: those that ship",
    )
    parser.add_argument(
        "--frames",
        type=int,
        default=FRAMES,
        metavar="N",
        help="of each video at least (default %(default)s)",
    )
    parser.add_argument(
        "--refit",
        action="store_true",
        help="fit the policies too, on one half of the footage: with some hundred people or more",
    )
    parser.add_argument(
        "--name", help="of the footage, for `calibrated_on` (default: of its files)"
    )
    parser.add_argument(
        "--threads",
        type=int,
        default=2,
        metavar="N",
        help="of each network's run (default 2)",
    )
    return parser
