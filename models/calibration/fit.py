"""Fits the calibration of a set of weights on a recorded routing table (`posecascade eval record`).

    python -m models.calibration.fit out/routing_table.npz --fitted-on "what the frames were"

Recorded under the weights' present calibration, which must be `neutral()`: run with `--reset` first.
"""

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
from scipy.optimize import minimize

from models.arrays import Floats, Indices
from models.calibration.tables import Gain
from models.evaluation.metrics import LAPLACE_COVERAGE
from models.evaluation.recorded import ROUTES, Recorded
from models.manifest import WEIGHTS
from models.records import Stage
from models.routers.table import FEATURES
from models.skeleton import JOINTS

PRICES: Final = (0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0)
BUDGET_MS: Final = 20.0
"""Deep time of a balanced frame, at the manifest's costs: one look by `expert`, or two by `refine`."""
DEPTH_GAIN_MM: Final = 15.0
"""What a look after `coarse` removes on real people beyond what it removes on rendered ones, whose depth BlazePose does
not read. Set below the 23 mm that `refine` gains on development footage, where on these frames it gains 2."""
WORST_MM: Final = 400.0
"""Errors are cut here, so that bounds on their mean exist."""

_TO_EXPERT, _BY_REFINE = ROUTES.index((Stage.EXPERT,)), ROUTES.index((Stage.REFINE, Stage.EXPERT))
_STEPS: Final = {
    (Stage.COARSE, Stage.REFINE): (0, 0, 1),
    (Stage.COARSE, Stage.EXPERT): (0, 0, _TO_EXPERT),
    (Stage.REFINE, Stage.EXPERT): (1, 1, _BY_REFINE),
}
"""Which features (after coarse, after refine) and which two routes tell what a step removes."""


def neutral() -> dict[str, Any]:
    """A calibration that changes nothing."""
    return {
        "sigma_scale": {str(s): [1.0] * JOINTS for s in Stage},
        "score": {str(s): [1.0, 0.0] for s in Stage},
        "gains": [],
        "balanced_price": 1.0,
        "balanced_budget_ms": BUDGET_MS,
        "promises": [],
        "fitted_on": "nothing yet",
    }


def fit(table: Recorded, cost_ms: Mapping[Stage, float], fitted_on: str) -> dict[str, Any]:
    """The calibration as the manifest holds it."""
    gains = {
        step: _gain(table, *columns, beyond_mm=DEPTH_GAIN_MM if step[0] is Stage.COARSE else 0.0)
        for step, columns in _STEPS.items()
    }
    promises = [_promise(table, gains, cost_ms, price) for price in PRICES]
    return {
        "sigma_scale": {str(stage): _sigma_scale(table, column).tolist() for stage, column in _own_routes().items()},
        "score": {str(stage): _platt(table, column) for stage, column in _own_routes().items()},
        "gains": [
            {"stage": str(a), "deeper": str(b), "weights": list(g.weights), "bias": g.bias}
            for (a, b), g in gains.items()
        ],
        "balanced_price": _balanced(promises),
        "balanced_budget_ms": BUDGET_MS,
        "promises": promises,
        "fitted_on": fitted_on,
    }


def _own_routes() -> dict[Stage, int]:
    return {Stage.COARSE: 0, Stage.REFINE: 1, Stage.EXPERT: _TO_EXPERT}


def _sigma_scale(table: Recorded, column: int) -> Floats:
    """[25] factor of each joint within which times sigma `LAPLACE_COVERAGE` of the errors lie, shrunk to that of all.

    By coverage, and not by the mean square: errors have heavier tails than the likelihood that sigma was learned by,
    and where few large ones make the mean square, a sigma of that size says nothing about the others.
    """
    ratio, right = table.errors_mm[:, column] / table.sigma_mm[:, column], table.right[:, column]
    known = [of_joint[right & np.isfinite(of_joint)] for of_joint in ratio.T]
    everyone = np.quantile(np.concatenate(known), LAPLACE_COVERAGE)
    share = np.array([len(one) / (len(one) + 200) for one in known])
    each = np.array([np.quantile(one, LAPLACE_COVERAGE) if len(one) else everyone for one in known])
    scale: Floats = np.exp(share * np.log(each) + (1 - share) * np.log(everyone))
    return scale


def _platt(table: Recorded, column: int) -> list[float]:
    """Slope and bias of the logit (Platt 1999), with a weak prior to stay as they were."""
    use = table.judged & np.isfinite(table.score[:, column])
    score = np.clip(table.score[use, column], 1e-6, 1 - 1e-6)
    logit, right = np.log(score / (1 - score)), table.right[use, column]
    start = np.array([1.0, 0.0])

    def surprise(weights: Floats) -> float:
        margin = np.where(right, 1, -1) * (weights[0] * logit + weights[1])
        return float(np.logaddexp(0, -margin).sum() + np.square(weights - start).sum())

    return [float(weight) for weight in minimize(surprise, start).x]


def _gain(table: Recorded, features_at: int, before: int, after: int, *, beyond_mm: float = 0.0) -> Gain:
    """Ridge regression of the error that a step removes on the routing features; `beyond_mm` is added to all of it."""
    features, error = table.features[:, features_at], np.minimum(table.limb_error_mm, WORST_MM)
    removed = error[:, before] - error[:, after]
    use = np.isfinite(removed) & np.isfinite(features).all(1)
    mean, spread = features[use].mean(0), features[use].std(0) + 1e-6
    inputs = np.column_stack([(features[use] - mean) / spread, np.ones(use.sum())])
    penalty = np.diag([10.0] * len(FEATURES) + [0.0])
    weights = np.linalg.solve(inputs.T @ inputs + penalty, inputs.T @ removed[use])
    raw = weights[:-1] / spread
    return Gain(tuple(map(float, raw)), float(weights[-1] - mean @ raw) + beyond_mm)


def routes_at(
    table: Recorded, gains: Mapping[tuple[Stage, Stage], Gain], cost_ms: Mapping[Stage, float], price: float
) -> Indices:
    """[N] route that the gain policy would take for each detection."""
    first = np.stack(
        [
            np.zeros(len(table.right)),
            *(
                gains[Stage.COARSE, stage].expected_mm(table.features[:, 0]) - price * cost_ms[stage]
                for stage in (Stage.REFINE, Stage.EXPERT)
            ),
        ]
    )
    route = first.argmax(0)
    onward = gains[Stage.REFINE, Stage.EXPERT].expected_mm(table.features[:, 1]) > price * cost_ms[Stage.EXPERT]
    return np.where((route == 1) & onward, _BY_REFINE, np.where(route == 2, _TO_EXPERT, route))


def _promise(
    table: Recorded, gains: Mapping[tuple[Stage, Stage], Gain], cost_ms: Mapping[Stage, float], price: float
) -> dict[str, float]:
    """What a price costs in accuracy: a one-sided 95 % bound of the mean, over frames, since people of one depend."""
    route = routes_at(table, gains, cost_ms, price)
    error = np.minimum(table.limb_error_mm, WORST_MM)
    use = np.isfinite(error).all(1)
    extra = (error[np.arange(len(route)), route] - error[:, _BY_REFINE])[use]
    frames = np.unique(table.frame[use], return_inverse=True)[1]
    sums, counts = np.bincount(frames, extra), np.bincount(frames)
    mean = sums.sum() / counts.sum()
    spread = np.sqrt(np.square(sums - mean * counts).sum()) / counts.sum()
    spent = np.array([sum(cost_ms[stage] for stage in ROUTES[r]) for r in route[use]])
    return {
        "price": price,
        "extra_error_mm": float(mean + 1.645 * spread),
        "mean_extra_error_mm": float(mean),
        "deep_ms_per_person": float(spent.mean()),
    }


def _balanced(promises: list[dict[str, float]]) -> float:
    """The dearest price at which nothing is lost, with 95 % confidence, against everyone-to-the-deepest."""
    return max((p["price"] for p in promises if p["extra_error_mm"] <= 0), default=PRICES[0])


def main() -> None:
    """Writes the calibration into a manifest."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("table", type=Path, nargs="?")
    parser.add_argument("--weights", type=Path, default=WEIGHTS)
    parser.add_argument("--fitted-on", default="unnamed frames")
    parser.add_argument("--min-score", type=float, default=0.3)
    parser.add_argument("--reset", action="store_true", help="forget the calibration, keep every detection")
    args = parser.parse_args()
    path = args.weights / "manifest.json"
    raw = json.loads(path.read_text())
    if args.reset:
        raw |= {"calibration": neutral(), "min_score": 0.05}
    else:
        cost = {Stage(name): spec["cost_ms"] for name, spec in raw["stages"].items()}
        raw |= {"calibration": fit(Recorded.load(args.table), cost, args.fitted_on), "min_score": args.min_score}
    path.write_text(json.dumps(raw, indent=2) + "\n")


if __name__ == "__main__":
    main()
