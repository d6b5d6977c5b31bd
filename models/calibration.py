"""The calibration that travels with the weights: fitted by `models.lab.fitting.calibration`, applied here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from posecascade.models.arrays import Floats
from posecascade.models.policies import Policy
from posecascade.models.policies.serialized import read_policies
from posecascade.models.records import Stage
from posecascade.models.skeleton import JOINTS
from posecascade.models.tracking.reuse.refresh import DeviationModel


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """One operating point and what it was seen to cost in accuracy."""

    price: float
    extra_error_mm: float
    """Upper confidence bound of the mean extra error against everyone-to-the-deepest."""


@dataclass(frozen=True, slots=True)
class GuaranteeBasis:
    """What the promises rest on."""

    confidence: float
    loss_bound_mm: float
    """A person's extra error counts up to here."""
    people: int
    units: int
    """Pictures, moments or films that they were seen in, which are independent of each other."""
    judged_by: str
    """What was taken for the truth."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """All tables of a set of weights."""

    sigma_scale: Mapping[Stage, tuple[float, ...]]
    """[25] factors that make sigma hold as many errors as one standard deviation of a Laplace radius does, by joint."""
    score: Mapping[Stage, tuple[float, float]]
    """Slope and bias of the logit of `score`."""
    policies: Mapping[str, Policy]
    """By name, the default first."""
    balanced_price: float
    """The price that `quality=balanced` means, mm per ms."""
    balanced_budget_ms: float
    """The time for the deeper stages of a frame that `quality=balanced` means: a crowd costs no more than a few."""
    operating_points: tuple[OperatingPoint, ...]
    """Dearest price last."""
    guarantee: GuaranteeBasis | None
    """None: nothing is promised."""
    fitted_on: str
    reuse: DeviationModel | None = None
    """How far carried poses are from fresh ones; None: not fitted."""

    @staticmethod
    def read(table: Mapping[str, Any]) -> "Calibration":
        """From the manifest's JSON.

        Raises:
            KeyError, ValueError: something is lacking or of the wrong length.
        """
        sigma = {
            Stage(name): tuple(map(float, row))
            for name, row in table["sigma_scale"].items()
        }
        if any(len(row) != JOINTS for row in sigma.values()):
            raise ValueError(f"calibration.sigma_scale: want {JOINTS} factors a stage")
        return Calibration(
            sigma_scale=sigma,
            score={
                Stage(n): (float(a), float(b)) for n, (a, b) in table["score"].items()
            },
            policies=read_policies(table["policies"]),
            balanced_price=float(table["balanced_price"]),
            balanced_budget_ms=float(table["balanced_budget_ms"]),
            operating_points=tuple(
                OperatingPoint(float(p["price"]), float(p["extra_error_mm"]))
                for p in table["promises"]
            ),
            guarantee=GuaranteeBasis(**table["promised"])
            if table["promised"]
            else None,
            fitted_on=table["fitted_on"],
            reuse=DeviationModel.read(table["reuse"]) if "reuse" in table else None,
        )

    def price_for(self, max_extra_error_mm: float) -> float:
        """The dearest price that keeps the promise; 0, which sends everyone, when none does."""
        return dearest(self.operating_points, max_extra_error_mm)


def dearest(
    operating_points: Sequence[OperatingPoint], max_extra_error_mm: float
) -> float:
    """The largest price up to which every operating point keeps within the bound."""
    price = 0.0
    for operating_point in (
        operating_points
    ):  # dearest last: fixed-sequence testing stops at the first failure
        if operating_point.extra_error_mm > max_extra_error_mm:
            break
        price = operating_point.price
    return price


def calibrated_score(score: Floats, slope: float, bias: float) -> Floats:
    """Platt scaling of probabilities (Platt 1999): sigmoid(slope x logit + bias). What is no number counts as 0."""
    clipped = np.clip(np.nan_to_num(score), 1e-6, 1 - 1e-6)
    logit = slope * np.log(clipped / (1 - clipped)) + bias
    result: Floats = np.exp(
        -np.logaddexp(0, -logit)
    )  # 1 / (1 + exp(-logit)) overflows for the very unlikely
    return result
