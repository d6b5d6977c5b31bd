"""Routing tables of any size, as Hypothesis draws them."""

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from posecascade.models.policies import RoutingTable, TemporalFeatures
from posecascade.models.policies.linear import Linear
from posecascade.models.policies.table import FEATURES
from posecascade.models.records import Stage

COST_MS = {Stage.COARSE: 20.0, Stage.REFINE: 4.0, Stage.EXPERT: 15.0}


def gain_of(weight: float, bias: float) -> Linear:
    """Linear in the logarithm of the expected error alone."""
    return Linear(
        tuple(weight * (name == "log_expected_error") for name in FEATURES), bias
    )


GAINS = {
    (Stage.COARSE, (Stage.REFINE,)): gain_of(8, -25),
    (Stage.COARSE, (Stage.EXPERT,)): gain_of(30, -115),
    (Stage.REFINE, (Stage.EXPERT,)): gain_of(25, -95),
}


def table_of(
    expected_error_mm: object,
    *,
    stage: Stage = Stage.COARSE,
    price: float = 1.0,
    budget_ms: float = np.inf,
) -> RoutingTable:
    """People who differ in their expected error, and in size as people do."""
    error = np.asarray(expected_error_mm, float)
    size = 50 + 1.37 * np.arange(len(error)) + error / 7
    half = np.full(len(error), 0.5)
    none = 0 * half
    return RoutingTable(
        stage,
        error,
        1.5 * error,
        none,
        half,
        half,
        size,
        1.5 * size,
        none,
        none,
        half,
        none,
        none,
        TemporalFeatures.unknown(len(error)),
        COST_MS,
        price,
        budget_ms,
        np.arange(len(error)),
    )


@st.composite
def tables(draw: st.DrawFn) -> RoutingTable:
    """Nobody to forty people, after either stage, at any price, with and without a budget."""
    people = draw(st.integers(0, 40))
    error = draw(arrays(np.float64, people, elements=st.floats(1, 400)))
    return table_of(
        error,
        stage=draw(st.sampled_from([Stage.COARSE, Stage.REFINE])),
        price=draw(st.floats(0, 20)),
        budget_ms=draw(st.just(np.inf) | st.floats(0, 300)),
    )
