"""The corners that any rule must be compared with: nobody, everybody, and chance or turns at a rate."""

from dataclasses import dataclass

import numpy as np

from posecascade.models.arrays import Floats, Indices
from posecascade.models.policies.budget import (
    NOBODY,
    deeper_than,
    everybody_stops,
    saving_mm,
)
from posecascade.models.policies.table import Decision, RoutingTable, within_budget
from posecascade.models.records import Stage, Stop


@dataclass(frozen=True, slots=True)
class NeverPolicy:
    """`coarse` alone."""

    name: str = "never"

    def decide(self, table: RoutingTable) -> Decision:
        return everybody_stops(table, Stop.CONFIDENT)


@dataclass(frozen=True, slots=True)
class AlwaysPolicy:
    """Everybody through all stages to `deepest`, whatever it costs and gains, as far as the budget reaches; largest
    expected error first, or what a fresh look saves where an earlier one would answer otherwise.
    """

    deepest: Stage = Stage.EXPERT
    name: str = "always"

    def decide(self, table: RoutingTable) -> Decision:
        stages = list(Stage)
        at = stages.index(table.stage)
        end = stages.index(self.deepest)
        if at >= end:
            return everybody_stops(table, Stop.DEEPEST)
        to = stages[at + 1]
        cost = np.full(len(table), table.cost_ms[to])
        value = np.minimum(table.expected_error_mm, saving_mm(table))
        return _to(table, to, within_budget(value, cost, table.budget_ms))


@dataclass(frozen=True, slots=True)
class RandomPolicy:
    """One stage further by chance, which hangs on the person's own numbers, so that it is the same again for the same
    frame (Clockwork's notebooks show adaptive rules losing to this corner)."""

    seed: int = 0
    name: str = "random"

    def decide(self, table: RoutingTable) -> Decision:
        return _at_a_rate(table, hash_uniform(self.seed, table.size_px))


@dataclass(frozen=True, slots=True)
class AlternatePolicy:
    """One stage further by turns: every n-th person of a frame, beginning anywhere."""

    name: str = "alternate"

    def decide(self, table: RoutingTable) -> Decision:
        if not len(table):
            return everybody_stops(table, Stop.DEEPEST)
        begin = hash_uniform(0, table.size_px[:1])[0]
        turn = (begin + rate(table) * np.arange(len(table))) % 1.0
        return _at_a_rate(table, turn)


ASSUMED_GAIN_MM = 10.0
"""That a look is taken to remove by rules that do not ask whom it helps: ties their rate to the price."""


def rate(table: RoutingTable) -> float:
    """Share of people that a rule which knows nothing sends on: all at price 0, half where a look costs what it is
    hoped to remove."""
    cost = table.price * table.cost_ms[deeper_than(table.stage)[0]]
    return ASSUMED_GAIN_MM / (ASSUMED_GAIN_MM + cost)


def _at_a_rate(table: RoutingTable, draw: Floats) -> Decision:
    """Those whose draw [P], uniform in 0..1, lies below the rate."""
    if table.stage is Stage.EXPERT:
        return everybody_stops(table, Stop.DEEPEST)
    to = deeper_than(table.stage)[0]
    at = rate(table)
    wanted = draw < at
    taken = within_budget(
        np.where(wanted, 1 - draw, 0.0),
        np.full(len(table), table.cost_ms[to]),
        table.budget_ms,
    )
    decision = _to(table, to, taken)
    for row in np.flatnonzero(~wanted):
        decision.stop[int(row)] = Stop.GAIN_BELOW_PRICE
    return decision


def hash_uniform(seed: int, numbers: Floats) -> Floats:
    """[P] uniform in 0..1, a function of the seed and of the digits that carry no meaning (splitmix64: Steele, Lea and
    Flood, OOPSLA 2014)."""
    step = np.array([0x9E3779B97F4A7C15], np.uint64) * np.uint64(seed + 1)
    bits = np.ascontiguousarray(numbers, np.float64).view(np.uint64) + step
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray((bits ^ (bits >> np.uint64(31))) / 2.0**64)


def _to(table: RoutingTable, stage: Stage, taken: Indices) -> Decision:
    stop = {row: Stop.BUDGET for row in range(len(table)) if row not in taken}
    return Decision(
        taken if stage is Stage.REFINE else NOBODY,
        taken if stage is Stage.EXPERT else NOBODY,
        stop,
    )
