"""Recipes of `skip` (SkipNet, arXiv 1711.09485): gates learned soft under supervision, then hard by REINFORCE; and by
REINFORCE alone, from scratch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit

from posecascade.models.arrays import Floats
from posecascade.models.lab.fitting.adam import Adam
from posecascade.models.lab.fitting.targets import Cases
from posecascade.models.policies import SkipPolicy
from posecascade.models.policies.linear import Linear
from posecascade.models.policies.skipnet import Gates
from posecascade.models.records import Stage

DECAY: Final = 1e-2
"""Of a standardised weight, in millimetres of mean cost: keeps gates soft enough to learn from."""
ROUNDS: Final = 600
RATE: Final = 0.05
SCALE_MM: Final = 20.0
"""Rewards are divided by it: the size of a gain."""


def fit_skip(
    people: Cases,
    cost_ms: Mapping[Stage, float],
    prices: Sequence[float],
    *,
    warm: bool = True,
    seed: int = 0,
) -> SkipPolicy:
    """Gates for each price; `warm`: begun soft under supervision (section 3.3), else from nothing."""
    view = _standardised(people)
    gates: list[Gates] = []
    for price in prices:
        cost = _costs(people, cost_ms, price)
        start = _softly(view, cost) if warm else np.zeros(3 * view.width)
        weights = _reinforce(
            view, cost, start, np.random.default_rng([seed, len(gates)])
        )
        gates.append(_gates(view, weights, price))
    return SkipPolicy(tuple(gates), "skip" if warm else "skip_from_scratch")


@dataclass(frozen=True, slots=True, eq=False)
class _View:
    """Standardised features with a column of ones, and what they were standardised by."""

    first: Floats
    second: Floats
    means: tuple[Floats, Floats]
    spreads: tuple[Floats, Floats]

    @property
    def width(self) -> int:
        return int(self.first.shape[1])


def _standardised(people: Cases) -> _View:
    seen = people.after_refine[people.refined]
    means = people.after_coarse.mean(0), seen.mean(0)
    spreads = people.after_coarse.std(0) + 1e-6, seen.std(0) + 1e-6
    raw = (
        people.after_coarse,
        np.where(people.refined[:, None], people.after_refine, means[1]),
    )
    inputs = [
        np.column_stack([(one - mean) / spread, np.ones(len(one))])
        for one, mean, spread in zip(raw, means, spreads, strict=True)
    ]
    return _View(inputs[0], inputs[1], means, spreads)


def _costs(people: Cases, cost_ms: Mapping[Stage, float], price: float) -> Floats:
    """[N, R] error + price x cost of each route, relative to coarse, in units of `SCALE_MM`."""
    refine = cost_ms[Stage.REFINE]
    expert = cost_ms[Stage.EXPERT]
    total = people.error_mm + price * np.array([0, refine, expert, refine + expert])
    cost: Floats = (total - total[:, :1]) / SCALE_MM
    return cost


def _open(view: _View, weights: Floats) -> tuple[Floats, Floats, Floats]:
    """Probabilities [N] of the three gates: refine, expert in its stead, expert after it."""
    a, b, c = weights.reshape(3, -1)
    return expit(view.first @ a), expit(view.first @ b), expit(view.second @ c)


def _softly(view: _View, cost: Floats) -> Floats:
    """The weights of the least expected cost, gates being probabilities: exact, for there are four routes."""

    def loss(weights: Floats) -> tuple[float, Floats]:
        p, q, r = _open(view, weights)
        refined = r * cost[:, 3] + (1 - r) * cost[:, 1]
        passed = q * cost[:, 2]
        mean = float((p * refined + (1 - p) * passed).mean()) + DECAY * float(
            np.square(weights).sum()
        )
        slopes = [
            view.first.T @ (p * (1 - p) * (refined - passed)),
            view.first.T @ ((1 - p) * q * (1 - q) * cost[:, 2]),
            view.second.T @ (p * r * (1 - r) * (cost[:, 3] - cost[:, 1])),
        ]
        return mean, np.concatenate(slopes) / len(p) + 2 * DECAY * weights

    return np.asarray(
        minimize(loss, np.zeros(3 * view.width), jac=True, method="L-BFGS-B").x
    )


def _reinforce(
    view: _View, cost: Floats, start: Floats, rng: np.random.Generator
) -> Floats:
    """Policy gradient on drawn routes, everybody once a round, with the mean cost as the baseline (section 3.2)."""
    weights = start
    adam = Adam(RATE)
    everyone = np.arange(len(cost))
    for _ in range(ROUNDS):
        p, q, r = _open(view, weights)
        first, instead, then = (rng.random(len(cost)) < chance for chance in (p, q, r))
        paid = cost[
            everyone, np.where(first, np.where(then, 3, 1), np.where(instead, 2, 0))
        ]
        excess = paid - paid.mean()
        slope = (
            np.concatenate(
                [
                    view.first.T @ (excess * (first - p)),
                    view.first.T @ (excess * ~first * (instead - q)),
                    view.second.T @ (excess * first * (then - r)),
                ]
            )
            / len(cost)
            + 2 * DECAY * weights
        )
        weights = weights + adam.move(slope)
    return weights


def _gates(view: _View, weights: Floats, price: float) -> Gates:
    """The weights of plain features."""
    linear = []
    for gate, which in zip(weights.reshape(3, -1), (0, 0, 1), strict=True):
        raw = gate[:-1] / view.spreads[which]
        linear.append(
            Linear(tuple(map(float, raw)), float(gate[-1] - view.means[which] @ raw))
        )
    return Gates(price, *linear)
