"""The calibration that travels with the weights: fitted by `models.calibration.fit`, applied here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from models.arrays import Floats
from models.records import Stage
from models.skeleton import JOINTS


@dataclass(frozen=True, slots=True)
class Gain:
    """How much error a deeper look is expected to remove: linear in the routing features."""

    weights: tuple[float, ...]
    """Of `routers.table.FEATURES`, in their order."""
    bias: float

    def expected_mm(self, features: Floats) -> Floats:
        """[P] for features [P, F]."""
        gain: Floats = features @ np.array(self.weights) + self.bias
        return gain


@dataclass(frozen=True, slots=True)
class Promise:
    """One operating point and what it was seen to cost in accuracy."""

    price: float
    extra_error_mm: float
    """Upper confidence bound, at 95 %, of the mean extra error against everyone-to-the-deepest."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """All tables of a set of weights."""

    sigma_scale: Mapping[Stage, tuple[float, ...]]
    """[25] factors that make sigma hold as many errors as one standard deviation of a Laplace radius does, by joint."""
    score: Mapping[Stage, tuple[float, float]]
    """Slope and bias of the logit of `score`."""
    gains: Mapping[tuple[Stage, Stage], Gain]
    """From a stage to a deeper one."""
    balanced_price: float
    """The price that `quality=balanced` means, mm per ms."""
    balanced_budget_ms: float
    """The time for the deeper stages of a frame that `quality=balanced` means: a crowd costs no more than a few."""
    promises: tuple[Promise, ...]
    """Dearest price last."""
    fitted_on: str

    @staticmethod
    def read(table: Mapping[str, Any]) -> "Calibration":
        """From the manifest's JSON.

        Raises:
            KeyError, ValueError: something is lacking or of the wrong length.
        """
        sigma = {Stage(name): tuple(map(float, row)) for name, row in table["sigma_scale"].items()}
        if any(len(row) != JOINTS for row in sigma.values()):
            raise ValueError(f"calibration.sigma_scale: want {JOINTS} factors a stage")
        gains = {(Stage(g["stage"]), Stage(g["deeper"])): Gain(tuple(g["weights"]), g["bias"]) for g in table["gains"]}
        return Calibration(
            sigma_scale=sigma,
            score={Stage(n): (float(a), float(b)) for n, (a, b) in table["score"].items()},
            gains=gains,
            balanced_price=float(table["balanced_price"]),
            balanced_budget_ms=float(table["balanced_budget_ms"]),
            promises=tuple(Promise(float(p["price"]), float(p["extra_error_mm"])) for p in table["promises"]),
            fitted_on=table["fitted_on"],
        )

    def price_for(self, max_extra_error_mm: float) -> float:
        """The dearest price that keeps the promise; 0, which sends everyone, when none does."""
        return dearest(self.promises, max_extra_error_mm)


def dearest(promises: Sequence[Promise], max_extra_error_mm: float) -> float:
    """The largest price up to which every operating point keeps within the bound."""
    price = 0.0
    for promise in promises:  # dearest last: fixed-sequence testing stops at the first failure
        if promise.extra_error_mm > max_extra_error_mm:
            break
        price = promise.price
    return price


def calibrated_score(score: Floats, slope: float, bias: float) -> Floats:
    """Platt scaling of probabilities (Platt 1999): sigmoid(slope x logit + bias)."""
    clipped = np.clip(score, 1e-6, 1 - 1e-6)
    logit = slope * np.log(clipped / (1 - clipped)) + bias
    said: Floats = np.exp(-np.logaddexp(0, -logit))  # 1 / (1 + exp(-logit)) overflows for the very unlikely
    return said
