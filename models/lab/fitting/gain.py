"""Recipes of `gain` and `threshold`: what the next looks remove, by regression and by the mean."""

from typing import Final

import numpy as np

from posecascade.models.arrays import Floats
from posecascade.models.lab.fitting.targets import Cases
from posecascade.models.lab.scoring.recorded import ROUTES
from posecascade.models.policies import GainPolicy, ThresholdPolicy
from posecascade.models.policies.gain import Step
from posecascade.models.policies.linear import Linear
from posecascade.models.policies.table import FEATURES
from posecascade.models.records import Stage

RIDGE: Final = 300.0
"""Penalty of a standardised weight, in people: features are many and hang together."""
_ERROR: Final = FEATURES.index("log_expected_error")


def fit_gain(people: Cases) -> GainPolicy:
    """Ridge regression of the error that each way removes, for both stages that a way may begin after."""
    gains: dict[Step, Linear] = {}
    for number, way in enumerate(ROUTES[1:], 1):
        gains[Stage.COARSE, way] = ridge(
            people.after_coarse, people.error_mm[:, 0] - people.error_mm[:, number]
        )
    refined = people.refined
    both = people.error_mm[:, -1]
    gains[Stage.REFINE, (Stage.EXPERT,)] = ridge(
        people.after_refine[refined], (people.error_mm[:, 1] - both)[refined]
    )
    return GainPolicy(gains)


def fit_threshold(people: Cases) -> ThresholdPolicy:
    """The share of the expected error that the next stage removes, over everybody."""
    refined = people.refined
    error = people.error_mm
    shares = {
        Stage.COARSE: (error[:, 0] - error[:, 1]).sum()
        / np.exp(people.after_coarse[:, _ERROR]).sum(),
        Stage.REFINE: (error[:, 1] - error[:, -1])[refined].sum()
        / np.exp(people.after_refine[refined, _ERROR]).sum(),
    }
    return ThresholdPolicy(
        {stage: max(float(share), 1e-6) for stage, share in shares.items()}
    )


def ridge(inputs: Floats, wanted: Floats, penalty: float = RIDGE) -> Linear:
    """Least squares of [N] on [N, F], the weights of standardised inputs penalised."""
    mean = inputs.mean(0)
    spread = inputs.std(0) + 1e-6
    columns = np.column_stack([(inputs - mean) / spread, np.ones(len(inputs))])
    weights = np.linalg.solve(
        columns.T @ columns + np.diag([penalty] * len(mean) + [0.0]), columns.T @ wanted
    )
    raw = weights[:-1] / spread
    return Linear(tuple(map(float, raw)), float(weights[-1] - mean @ raw))
