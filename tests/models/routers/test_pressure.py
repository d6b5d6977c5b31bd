"""Under pressure the least rewarding looks are shed first, whatever was asked for, and those people are told."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.records import Stage, Stop
from models.routers import AlwaysPolicy, GainPolicy, NeverPolicy, Policy, Pressure, RoutingTable
from models.routers.pressure import SHED
from tests.models.routers.rows import GAINS, table_of, tables

GAIN = GainPolicy(GAINS)
POLICIES: list[Policy] = [GAIN, AlwaysPolicy(), NeverPolicy()]
pressures = st.builds(Pressure, st.floats(0, 20), st.floats(-100, 300) | st.just(np.inf))


@given(tables(), st.sampled_from(POLICIES))
def test_without_pressure_the_policy_decides(table: RoutingTable, policy: Policy) -> None:
    asked, decided = policy.decide(table), Pressure().decide(policy, GAIN, table)

    assert decided.stop == asked.stop
    np.testing.assert_array_equal(decided.refine, asked.refine)
    np.testing.assert_array_equal(decided.expert, asked.expert)


@given(tables(), st.sampled_from(POLICIES), pressures)
def test_everybody_is_decided_once_and_who_loses_a_look_is_told(
    table: RoutingTable, policy: Policy, pressure: Pressure) -> None:
    asked, decided = policy.decide(table), pressure.decide(policy, GAIN, table)

    assert sorted([*decided.refine, *decided.expert, *decided.stop]) == list(range(len(table)))
    assert {row for row, why in decided.stop.items() if why in SHED} == set(decided.stop) - set(asked.stop)


@given(tables(), st.sampled_from(POLICIES), pressures)
def test_the_time_left_is_kept(table: RoutingTable, policy: Policy, pressure: Pressure) -> None:
    decided = pressure.decide(policy, GAIN, table)
    spent = len(decided.refine) * table.cost_ms[Stage.REFINE] + len(decided.expert) * table.cost_ms[Stage.EXPERT]

    assert spent <= max(min(table.budget_ms, pressure.left_ms), 0) + 1e-9


@pytest.mark.parametrize("policy", [GAIN, AlwaysPolicy()])
@pytest.mark.parametrize("pressure", [Pressure(price=3.0), Pressure(left_ms=40.0)])
def test_the_hardest_keep_their_look(policy: Policy, pressure: Pressure) -> None:
    error = np.random.default_rng(0).permutation(np.linspace(60, 300, 20))
    decided = pressure.decide(policy, GAIN, table_of(error, price=0.0))
    kept = [*decided.refine, *decided.expert]
    shed = [row for row, why in decided.stop.items() if why in SHED]

    assert kept
    assert shed
    assert error[kept].min() > error[shed].max()


def test_it_is_said_which_of_the_two_it_was() -> None:
    table = table_of([300.0, 300.0], price=0.0)

    assert Pressure(price=1e6).decide(GAIN, GAIN, table).stop == {0: Stop.LOAD, 1: Stop.LOAD}
    assert Pressure(left_ms=-5.0).decide(GAIN, GAIN, table).stop == {0: Stop.DEADLINE, 1: Stop.DEADLINE}


def test_a_budget_that_was_asked_for_stays_a_budget() -> None:
    table = table_of([300.0, 300.0], price=0.0, budget_ms=4.0)

    assert list(Pressure(left_ms=100.0, price=0.1).decide(GAIN, GAIN, table).stop.values()) == [Stop.BUDGET]
