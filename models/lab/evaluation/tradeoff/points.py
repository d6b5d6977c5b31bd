"""Operating points: a policy at a price, what it costs the people of a group and what it leaves of their errors."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from posecascade.models.arrays import Floats, Indices
from posecascade.models.lab.evaluation.tradeoff.equal_cost import (
    best_mix,
    by_chance,
    in_turn,
    knowing_all,
)
from posecascade.models.lab.evaluation.tradeoff.people import People
from posecascade.models.lab.evaluation.tradeoff.resampled import UNKNOWN, Resampled
from posecascade.models.lab.fitting.simulate import deep_cost_ms, play
from posecascade.models.lab.scoring.figures import Figure
from posecascade.models.lab.scoring.recorded import ROUTES, Recorded
from posecascade.models.policies import Policy
from posecascade.models.records import Stage


@dataclass(frozen=True, slots=True)
class Costs:
    """Of one more person at each stage."""

    ms: Mapping[Stage, float]
    gmacs: Mapping[Stage, float]

    @property
    def route_ms(self) -> Floats:
        """[R] beyond `coarse`."""
        return deep_cost_ms(np.arange(len(ROUTES)), self.ms)

    @property
    def route_gmacs(self) -> Floats:
        """[R] beyond `coarse`."""
        return deep_cost_ms(np.arange(len(ROUTES)), self.gmacs)


@dataclass(frozen=True, slots=True)
class Point:
    """One row of the table."""

    policy: str
    price: float | None
    """mm a millisecond; None: it has none."""
    deep_ms: Figure
    """A person, beyond `coarse`, at the manifest's costs."""
    deep_gmacs: Figure
    compute: float
    """Share of the deep time of everyone-to-the-deepest."""
    error: Figure
    pck3d: Figure
    """% of limb joints; NaN without truth in 3D."""
    pck2d: Figure
    kept: Figure
    """% of what everyone-to-the-deepest removes; NaN where it is not told that it removes anything."""
    beyond_deepest: Figure
    """Error beyond that of everyone-to-the-deepest."""
    chance: Figure
    """Error where the same routes are dealt blindly."""
    turns: Figure
    """Error where the same routes are dealt in turn."""
    mix: Figure
    """Error of the best blind mix of routes at the same cost."""
    oracle: Figure
    """Least error that can be had at the same cost."""
    beats_chance: Figure
    """Error that chance leaves beyond this rule's; above 0: better."""
    beats_turns: Figure
    beats_mix: Figure
    efficacy: Figure
    """Share of what the oracle removes beyond chance that the rule removes, at the same cost."""
    answered_by: tuple[float, ...]
    """Share of the people on each of `ROUTES`."""


Played = Mapping[float, Indices]
"""Routes [N] of a policy by price."""


def played(
    table: Recorded, policy: Policy, costs: Costs, prices: Iterable[float]
) -> Played:
    """The policy at each price, cheapest first, on everybody of whole frames."""
    return {
        price: play(table, policy, costs.ms, price) for price in sorted(set(prices))
    }


def points(
    people: People,
    routes: Mapping[str, Played],
    costs: Costs,
    prices: Sequence[float],
    *,
    rounds: int,
) -> list[Point]:
    """Every policy at those of the prices at which it was played."""
    draw = Resampled.of(people.unit, rounds)
    return [
        point(people, by_price[price], costs, draw, name, price)
        for name, by_price in routes.items()
        for price in prices
        if price in by_price
    ]


@dataclass(frozen=True, slots=True)
class Curve:
    """A policy over many prices, cheapest first."""

    policy: str
    deep_ms: tuple[float, ...]
    deep_gmacs: tuple[float, ...]
    error: tuple[float, ...]
    oracle: tuple[float, ...]
    """Least error that can be had at the same cost."""
    efficacy: tuple[float, ...]


def curve(people: People, name: str, routes: Played, costs: Costs) -> Curve:
    """Without intervals."""
    cost = costs.route_ms
    everyone = np.arange(len(people))
    found: list[tuple[float, ...]] = []
    for one in routes.values():
        left = people.error[everyone, one].mean()
        chance = by_chance(people.error, one).mean()
        oracle = knowing_all(people.error, cost, cost[one].mean()).mean()
        reported = chance - oracle > 1e-9 and len(set(one.tolist())) > 1
        found.append(
            (
                cost[one].mean(),
                costs.route_gmacs[one].mean(),
                left,
                oracle,
                (chance - left) / (chance - oracle) if reported else np.nan,
            )
        )
    return Curve(
        name, *(tuple(map(float, column)) for column in zip(*found, strict=True))
    )


def fixed(people: People, costs: Costs, *, rounds: int) -> list[Point]:
    """Everybody along each of `ROUTES`."""
    draw = Resampled.of(people.unit, rounds)
    names = (
        "nobody: coarse alone",
        *(f"everybody: {', '.join(route)}" for route in ROUTES[1:]),
    )
    return [
        point(people, np.full(len(people), number), costs, draw, name, None)
        for number, name in enumerate(names)
    ]


def point(
    people: People,
    routes: Indices,
    costs: Costs,
    draw: Resampled,
    name: str,
    price: float | None,
) -> Point:
    """What the routes [N] come to."""
    everyone = np.arange(len(people))
    error = people.error
    cost = costs.route_ms
    left = error[everyone, routes]
    spent = cost[routes]
    chance = by_chance(error, routes)
    turns = in_turn(error, routes)
    mix = best_mix(error, cost, spent.mean())
    oracle = knowing_all(error, cost, spent.mean())
    return Point(
        policy=name,
        price=price,
        deep_ms=draw.ratio(spent),
        deep_gmacs=draw.ratio(costs.route_gmacs[routes]),
        compute=float(spent.mean() / cost[-1]),
        error=draw.ratio(left),
        pck3d=draw.ratio(100 * people.right_3d[everyone, routes], people.joints_3d),
        pck2d=draw.ratio(100 * people.right_2d[everyone, routes], people.joints_2d),
        kept=_kept(draw, error, left),
        beyond_deepest=draw.ratio(left - error[:, -1]),
        chance=draw.ratio(chance),
        turns=draw.ratio(turns),
        mix=draw.ratio(mix),
        oracle=draw.ratio(oracle),
        beats_chance=draw.ratio(chance - left),
        beats_turns=draw.ratio(turns - left),
        beats_mix=draw.ratio(mix - left),
        efficacy=_efficacy(draw, chance, left, oracle),
        answered_by=tuple(
            (np.bincount(routes, minlength=len(ROUTES)) / len(routes)).tolist()
        ),
    )


def _kept(draw: Resampled, error: Floats, left: Floats) -> Figure:
    whole = error[:, 0] - error[:, -1]
    if not draw.ratio(whole).low > 0:
        return UNKNOWN
    return draw.ratio(100 * (error[:, 0] - left), whole)


def _efficacy(draw: Resampled, chance: Floats, left: Floats, oracle: Floats) -> Figure:
    """NaN where nobody, or everybody, goes one way: there is nothing to choose."""
    if chance.mean() - oracle.mean() < 1e-9 or np.allclose(chance, left):
        return UNKNOWN
    return draw.ratio(chance - left, chance - oracle)
