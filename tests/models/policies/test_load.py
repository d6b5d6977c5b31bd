"""Under pressure the least rewarding looks are shed first, whatever was asked for, and those people are told."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from posecascade.models.policies import (
    AlwaysPolicy,
    GainPolicy,
    LoadState,
    NeverPolicy,
    Policy,
    RoutingTable,
)
from posecascade.models.policies.load import LOAD_SHEDDING_STOPS
from posecascade.models.records import Stage, Stop
from tests.models.policies.rows import GAINS, table_of, tables

GAIN = GainPolicy(GAINS)
POLICIES: list[Policy] = [GAIN, AlwaysPolicy(), NeverPolicy()]
pressures = st.builds(
    LoadState, st.floats(0, 20), st.floats(-100, 300) | st.just(np.inf)
)


@given(tables(), st.sampled_from(POLICIES))
def test_without_pressure_the_policy_decides(
    table: RoutingTable, policy: Policy
) -> None:
    requested = policy.decide(table)
    decided = LoadState().decide(policy, GAIN, table)

    assert decided.stop == requested.stop
    np.testing.assert_array_equal(decided.refine, requested.refine)
    np.testing.assert_array_equal(decided.expert, requested.expert)


@given(tables(), st.sampled_from(POLICIES), pressures)
def test_everybody_is_decided_once_and_who_loses_a_look_is_told(
    table: RoutingTable, policy: Policy, load_state: LoadState
) -> None:
    requested = policy.decide(table)
    decided = load_state.decide(policy, GAIN, table)

    assert sorted([*decided.refine, *decided.expert, *decided.stop]) == list(
        range(len(table))
    )
    assert {
        row for row, why in decided.stop.items() if why in LOAD_SHEDDING_STOPS
    } == set(decided.stop) - set(requested.stop)


@given(tables(), st.sampled_from(POLICIES), pressures)
def test_the_time_left_is_kept(
    table: RoutingTable, policy: Policy, load_state: LoadState
) -> None:
    decided = load_state.decide(policy, GAIN, table)
    spent = (
        len(decided.refine) * table.cost_ms[Stage.REFINE]
        + len(decided.expert) * table.cost_ms[Stage.EXPERT]
    )

    assert spent <= max(min(table.budget_ms, load_state.left_ms), 0) + 1e-9


@pytest.mark.parametrize("policy", [GAIN, AlwaysPolicy()])
@pytest.mark.parametrize("load_state", [LoadState(price=3.0), LoadState(left_ms=40.0)])
def test_the_hardest_keep_their_look(policy: Policy, load_state: LoadState) -> None:
    error = np.random.default_rng(0).permutation(np.linspace(60, 300, 20))
    decided = load_state.decide(policy, GAIN, table_of(error, price=0.0))
    stored = [*decided.refine, *decided.expert]
    shed = [row for row, why in decided.stop.items() if why in LOAD_SHEDDING_STOPS]

    assert stored
    assert shed
    assert error[stored].min() > error[shed].max()


def test_it_is_said_which_of_the_two_it_was() -> None:
    table = table_of([300.0, 300.0], price=0.0)

    assert LoadState(price=1e6).decide(GAIN, GAIN, table).stop == {
        0: Stop.LOAD,
        1: Stop.LOAD,
    }
    assert LoadState(left_ms=-5.0).decide(GAIN, GAIN, table).stop == {
        0: Stop.DEADLINE,
        1: Stop.DEADLINE,
    }


def test_a_budget_that_was_asked_for_stays_a_budget() -> None:
    table = table_of([300.0, 300.0], price=0.0, budget_ms=4.0)

    assert list(
        LoadState(left_ms=100.0, price=0.1).decide(GAIN, GAIN, table).stop.values()
    ) == [Stop.BUDGET]
