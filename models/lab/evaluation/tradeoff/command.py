"""`posecascade eval tradeoff`: every routing policy on held-back recorded tables, beside chance and an oracle."""

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import numpy as np

from posecascade.models.lab.evaluation.tables import known
from posecascade.models.lab.evaluation.tradeoff.markdown import PROTOCOL, as_markdown
from posecascade.models.lab.evaluation.tradeoff.measure import (
    Report,
    measured,
    without_disagreement,
)
from posecascade.models.lab.evaluation.tradeoff.plots import save_plots
from posecascade.models.lab.evaluation.tradeoff.points import Costs
from posecascade.models.lab.evaluation.tradeoff.splits import SPLITS, broken
from posecascade.models.lab.fitting.calibration import calibrated
from posecascade.models.lab.fitting.operating_points import (
    answered,
    balanced_price,
    halves,
)
from posecascade.models.lab.fitting.policies import fit_policies
from posecascade.models.lab.scoring.recorded import Recorded
from posecascade.models.manifest import WEIGHTS, Manifest, load_manifest
from posecascade.models.policies import Policy
from posecascade.models.policies.serialized import read_policies

SPREAD: Final = 4.0
"""The dear price is so many times the balanced one, the cheap one so many times less."""
DIGITS: Final = 5


def run(argv: Sequence[str]) -> int:
    """Writes `tradeoff.md`, `tradeoff.json` and the plots.

    Raises:
        ValueError: the tables or settings are of no use; the message says which.
        ManifestError: the weights folder is not sound.
        OSError: a table cannot be read.
    """
    args = _parser().parse_args(argv)
    for name in ("rounds", "splits"):
        if getattr(args, name) < 1:
            raise ValueError(f"--{name} must be 1 or more, got {getattr(args, name)}")
    manifest = load_manifest(args.weights)
    costs = Costs(
        {stage: spec.cost_ms for stage, spec in manifest.stages.items()},
        {stage: spec.gmacs for stage, spec in manifest.stages.items()},
    )
    test = answered(_loaded(args.test))
    policies, balanced = _policies(args, manifest, costs)
    prices = tuple(
        sorted(args.prices or (balanced / SPREAD, balanced, balanced * SPREAD))
    )
    default = next(iter(policies))
    report = Report(
        default,
        prices,
        _conditions(args, manifest, prices, test),
        tuple(
            measured(
                test,
                policies,
                costs,
                prices,
                rounds=args.rounds,
                budget_ms=manifest.calibration.balanced_budget_ms,
            )
        ),
        tuple(broken(test, policies[default], costs.ms, splits=args.splits)),
        args.splits,
    )
    args.out.mkdir(parents=True, exist_ok=True)
    (args.out / "tradeoff.md").write_text(as_markdown(report))
    (args.out / "tradeoff.json").write_text(
        json.dumps(known(_short(asdict(report)) | {"protocol": PROTOCOL}), indent=1)
        + "\n"
    )
    save_plots(args.out, report.groups)
    print(as_markdown(report))
    return 0


def _short(value: Any) -> Any:
    """Numbers to `DIGITS` digits: nothing is known better, and the file is read by people too."""
    if isinstance(value, dict):
        return {key: _short(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_short(each) for each in value]
    return float(f"{value:.{DIGITS}g}") if isinstance(value, float) else value


def _policies(
    args: argparse.Namespace, manifest: Manifest, costs: Costs
) -> tuple[dict[str, Policy], float]:
    """The policies to compare, the default first, and the balanced price."""
    if not args.fit:
        return dict(manifest.calibration.policies), manifest.calibration.balanced_price
    table = _loaded(args.fit)
    if args.neutral:
        scale = {
            stage: np.array(row)
            for stage, row in manifest.calibration.sigma_scale.items()
        }
        table = calibrated(table, scale, manifest.calibration.score)
    learn, price_on = halves(answered(table))
    policies = read_policies(fit_policies([learn], costs.ms))
    blind = without_disagreement([learn])
    return policies | {blind.name: blind}, balanced_price(
        price_on, next(iter(policies.values())), costs.ms
    )


def _loaded(paths: Sequence[Path]) -> Recorded:
    """All tables together."""
    try:
        return Recorded.joined([Recorded.load(path) for path in paths])
    except KeyError as lacking:
        raise ValueError(
            f"a table of an older program: {lacking}; record it again"
        ) from lacking


def _conditions(
    args: argparse.Namespace,
    manifest: Manifest,
    prices: Sequence[float],
    test: Recorded,
) -> dict[str, str]:
    by = (
        f"one half of {', '.join(path.stem for path in args.fit)}"
        if args.fit
        else f"what the weights were calibrated on ({manifest.calibration.fitted_on})"
    )
    cost = {
        str(stage): f"{spec.cost_ms:g} ms and {spec.gmacs:g} GMACs"
        for stage, spec in manifest.stages.items()
    }
    return {
        "prices (cheap, balanced, dear)": ", ".join(f"{price:g}" for price in prices),
        "policies fitted on": by,
        "tried on": f"{len(test.person)} detections in {len(np.unique(test.units))} films, moments or "
        f"pictures of {', '.join(path.stem for path in args.test)}",
        "costs": "; ".join(f"{stage} {what}" for stage, what in cost.items()),
        "bootstrap rounds": str(args.rounds),
        "weights": f"{manifest.version} sha256:{manifest.weights_sha256[:12]}",
    }


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("posecascade eval tradeoff", description=__doc__)
    parser.add_argument(
        "--test",
        type=Path,
        nargs="+",
        required=True,
        metavar="TABLE.npz",
        help="held-back people, of `posecascade eval record`",
    )
    parser.add_argument(
        "--fit",
        type=Path,
        nargs="+",
        default=(),
        metavar="TABLE.npz",
        help="fit the policies on one half of these, choose the balanced price on the other; left out: "
        "the policies of the weights",
    )
    parser.add_argument(
        "--neutral",
        action="store_true",
        help="the tables of --fit were recorded under a neutral calibration, as those that weights are "
        "calibrated on: apply the weights' own",
    )
    parser.add_argument(
        "--prices",
        type=float,
        nargs=3,
        metavar="MM_A_MS",
        help=f"cheap, balanced, dear; default: the balanced price, {SPREAD:g} times less and more",
    )
    parser.add_argument(
        "--weights",
        type=Path,
        default=WEIGHTS,
        metavar="FOLDER",
        help="default: those that ship",
    )
    parser.add_argument(
        "--rounds", type=int, default=1000, help="of the bootstrap (default 1000)"
    )
    parser.add_argument(
        "--splits",
        type=int,
        default=SPLITS,
        help="that promises are tried on (default %(default)s)",
    )
    parser.add_argument(
        "--out", type=Path, default=Path("out/tradeoff"), metavar="FOLDER"
    )
    return parser
