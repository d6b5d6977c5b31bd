"""Fits the calibration of a set of weights on recorded routing tables (`posecascade eval record`).

    python -m posecascade.models.lab.fitting.calibration out/routing_table.npz... --fitted-on "what the frames were"

Recorded under the weights' present calibration, which must be `neutral()`: run with `--reset` first.
"""

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from scipy.optimize import minimize

from posecascade.models.arrays import Floats
from posecascade.models.calibration import calibrated_score
from posecascade.models.lab.fitting.operating_points import (
    answered,
    balanced_price,
    halves,
    operating_points,
    stated,
)
from posecascade.models.lab.fitting.policies import fit_policies
from posecascade.models.lab.scoring.metrics import LAPLACE_COVERAGE, LAPLACE_MEAN
from posecascade.models.lab.scoring.recorded import ROUTES, Recorded
from posecascade.models.manifest import WEIGHTS
from posecascade.models.policies.serialized import read_policies
from posecascade.models.policies.table import FEATURES
from posecascade.models.records import Stage
from posecascade.models.skeleton import JOINTS

BUDGET_MS: Final = 20.0
"""Deep time of a balanced frame, at the manifest's costs: one look by `expert`, or two by `refine`."""
_TO_EXPERT: Final = ROUTES.index((Stage.EXPERT,))


def neutral() -> dict[str, Any]:
    """A calibration that changes nothing."""
    return {
        "sigma_scale": {str(s): [1.0] * JOINTS for s in Stage},
        "score": {str(s): [1.0, 0.0] for s in Stage},
        "policies": {"features": list(FEATURES), "fitted": {}},
        "balanced_price": 1.0,
        "balanced_budget_ms": BUDGET_MS,
        "promises": [],
        "promised": {},
        "fitted_on": "nothing yet",
    }


def fit(
    table: Recorded, cost_ms: Mapping[Stage, float], fitted_on: str
) -> dict[str, Any]:
    """The calibration as the manifest holds it: sigma and scores on the labelled people of the table, policies on one
    half of its units and what is promised of them on the other."""
    sigma_scale = {
        stage: _sigma_scale(table, column) for stage, column in _own_routes().items()
    }
    score = {stage: _platt(table, column) for stage, column in _own_routes().items()}
    learn, test = halves(answered(calibrated(table, sigma_scale, score)))
    policies = fit_policies([learn], cost_ms)
    default = next(iter(read_policies(policies).values()))
    return {
        "sigma_scale": {
            str(stage): scale.tolist() for stage, scale in sigma_scale.items()
        },
        "score": {str(stage): weights for stage, weights in score.items()},
        "policies": policies,
        "balanced_price": balanced_price(test, default, cost_ms),
        "balanced_budget_ms": BUDGET_MS,
        "promises": operating_points(test, default, cost_ms),
        "promised": stated(test),
        "fitted_on": fitted_on,
    }


def calibrated(
    table: Recorded,
    sigma_scale: Mapping[Stage, Floats],
    score: Mapping[Stage, Sequence[float]],
) -> Recorded:
    """The table as it would have been recorded under a calibration; it was under `neutral()`."""
    sigma = table.sigma_mm
    by = sigma_scale
    own = [
        sigma[:, column] * by[stage] for stage, column in _own_routes().items()
    ]  # coarse, refine, expert
    last = sigma[:, -1]
    stored = [
        np.abs(last - sigma[:, column]).max(1, keepdims=True) < 1e-3
        for column in (0, 1)
    ]  # a look was lost
    both = np.where(
        stored[0], own[0], np.where(stored[1], own[1], (own[1] + own[2]) / 2)
    )
    stages = (*Stage, Stage.EXPERT)
    scores = np.column_stack(
        [
            calibrated_score(table.score[:, column], *score[stage])
            for column, stage in enumerate(stages)
        ]
    )
    features = table.features.copy()
    for at, of_stage in enumerate(own[:2]):
        reported = {
            "log_expected_error": np.log(LAPLACE_MEAN * of_stage.mean(1)),
            "log_worst_sigma": np.log(of_stage.max(1)),
            "sigma_spread": np.log(of_stage).std(1),
            "score": scores[:, at],
        }
        for name, column in reported.items():
            features[:, at, FEATURES.index(name)] = column
    features[np.isnan(table.features)] = np.nan
    return replace(
        table, sigma_mm=np.stack([*own, both], 1), score=scores, features=features
    )


def _own_routes() -> dict[Stage, int]:
    return {Stage.COARSE: 0, Stage.REFINE: 1, Stage.EXPERT: _TO_EXPERT}


def _sigma_scale(table: Recorded, column: int) -> Floats:
    """[25] factor of each joint within which times sigma `LAPLACE_COVERAGE` of the errors lie, shrunk to that of all.

    By coverage, and not by the mean square: errors have heavier tails than the likelihood that sigma was learned by,
    and where few large ones make the mean square, a sigma of that size says nothing about the others.
    """
    ratio = table.errors_mm[:, column] / table.sigma_mm[:, column]
    right = table.right[:, column]
    known = [of_joint[right & np.isfinite(of_joint)] for of_joint in ratio.T]
    everyone = np.quantile(np.concatenate(known), LAPLACE_COVERAGE)
    share = np.array([len(one) / (len(one) + 200) for one in known])
    each = np.array(
        [np.quantile(one, LAPLACE_COVERAGE) if len(one) else everyone for one in known]
    )
    scale: Floats = np.exp(share * np.log(each) + (1 - share) * np.log(everyone))
    return scale


def _platt(table: Recorded, column: int) -> list[float]:
    """Slope and bias of the logit (Platt 1999), with a weak prior to stay as they were."""
    use = table.judged & np.isfinite(table.score[:, column])
    score = np.clip(table.score[use, column], 1e-6, 1 - 1e-6)
    logit = np.log(score / (1 - score))
    right = table.right[use, column]
    start = np.array([1.0, 0.0])

    def surprise(weights: Floats) -> float:
        margin = np.where(right, 1, -1) * (weights[0] * logit + weights[1])
        return float(np.logaddexp(0, -margin).sum() + np.square(weights - start).sum())

    return [float(weight) for weight in minimize(surprise, start).x]


def main() -> None:
    """Writes the calibration into a manifest."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("tables", type=Path, nargs="*")
    parser.add_argument("--weights", type=Path, default=WEIGHTS)
    parser.add_argument("--fitted-on", default="unnamed frames")
    parser.add_argument("--min-score", type=float, default=0.3)
    parser.add_argument(
        "--reuse",
        type=Path,
        metavar="FILE",
        help="what `python -m posecascade.models.lab.fitting.reuse` wrote",
    )
    parser.add_argument(
        "--reset",
        action="store_true",
        help="forget the calibration, keep every detection",
    )
    args = parser.parse_args()
    path = args.weights / "manifest.json"
    raw = json.loads(path.read_text())
    if args.reset:
        raw |= {"calibration": neutral(), "min_score": 0.05}
    else:
        table = Recorded.joined([Recorded.load(path) for path in args.tables])
        cost = {Stage(name): spec["cost_ms"] for name, spec in raw["stages"].items()}
        reuse = {"reuse": json.loads(args.reuse.read_text())} if args.reuse else {}
        raw |= {
            "calibration": fit(table, cost, args.fitted_on) | reuse,
            "min_score": args.min_score,
        }
    path.write_text(json.dumps(raw, indent=2) + "\n")


if __name__ == "__main__":
    main()
