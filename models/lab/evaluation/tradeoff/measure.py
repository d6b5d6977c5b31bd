"""Everything that is measured of the policies on held-back tables."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from posecascade.models.arrays import Indices
from posecascade.models.lab.evaluation.tradeoff.goals import (
    Against,
    against_deepest,
    against_refine,
)
from posecascade.models.lab.evaluation.tradeoff.people import People, groups, parts
from posecascade.models.lab.evaluation.tradeoff.points import (
    Costs,
    Curve,
    Played,
    Point,
    curve,
    fixed,
    played,
    points,
)
from posecascade.models.lab.evaluation.tradeoff.reliability import (
    Covered,
    Exits,
    Predicted,
    covered,
    exits,
    predicted,
)
from posecascade.models.lab.evaluation.tradeoff.rivals import Rival, rivals
from posecascade.models.lab.evaluation.tradeoff.splits import Broken
from posecascade.models.lab.fitting.gain import fit_gain
from posecascade.models.lab.fitting.operating_points import PRICES
from posecascade.models.lab.fitting.simulate import play
from posecascade.models.lab.fitting.targets import cases
from posecascade.models.lab.scoring.recorded import Recorded
from posecascade.models.policies import GainPolicy, Policy
from posecascade.models.policies.serialized import CORNERS
from posecascade.models.policies.table import FEATURES

_DISAGREEMENT: Final = FEATURES.index("disagreement")
_HAVE_ROWS: Final = ("never", "always")
"""Corners that are routes for everybody, which have rows of their own."""


@dataclass(frozen=True, slots=True)
class Part:
    """All of a group, or its hardest third."""

    name: str
    people: int
    units: int
    routes: tuple[Point, ...]
    """Everybody along each of `ROUTES`."""
    points: tuple[Point, ...]
    curves: tuple[Curve, ...]
    goals: tuple[Against, ...]
    """Of the default."""
    rivals: tuple[Rival, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """One folder known in 3D, or all that are known in 2D alone."""

    name: str
    in_3d: bool
    measure: str
    parts: tuple[Part, ...]
    predicted: tuple[Predicted, ...]
    exits: tuple[Exits, ...]
    """Of the default at the balanced price."""
    covered: tuple[Covered, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """What one call of `posecascade eval tradeoff` found out."""

    default: str
    prices: tuple[float, ...]
    """Cheap, balanced, dear."""
    conditions: Mapping[str, str]
    groups: tuple[Group, ...]
    broken: tuple[Broken, ...]
    splits: int
    """That the promises were tried on."""


def without_disagreement(tables: Sequence[Recorded]) -> GainPolicy:
    """`gain` fitted as if the redundant read-outs always agreed (ORPM, arXiv 1712.03453): their weight is 0."""
    blind = []
    for table in tables:
        features = table.features.copy()
        features[:, :, _DISAGREEMENT] = np.where(
            np.isnan(features[:, :, _DISAGREEMENT]), np.nan, 0.0
        )
        blind.append(replace(table, features=features))
    return replace(fit_gain(cases(blind)), name="gain without disagreement")


def measured(
    table: Recorded,
    policies: Mapping[str, Policy],
    costs: Costs,
    prices: Sequence[float],
    *,
    budget_ms: float,
    rounds: int,
) -> list[Group]:
    """Every group of the table.

    Args:
        table: of held-back frames.
        policies: the default first.
        costs: of each stage.
        prices: cheap, balanced, dear.
        budget_ms: for the deeper stages of a frame, under which the default is played once more at the balanced price.
        rounds: of the bootstrap.

    Raises:
        ValueError: nobody in the table is labelled.
    """
    name, rule = next(iter(policies.items()))
    routes = {
        name: played(table, policy, costs, {*prices, *PRICES})
        for name, policy in policies.items()
        if name not in _HAVE_ROWS
    }
    routes[f"{name}, {budget_ms:g} ms a frame"] = {
        prices[1]: play(table, rule, costs.ms, prices[1], budget_ms)
    }
    return [
        _group(people, routes, rule, costs, prices, rounds) for people in groups(table)
    ]


def _group(
    people: People,
    everywhere: Mapping[str, Played],
    rule: Policy,
    costs: Costs,
    prices: Sequence[float],
    rounds: int,
) -> Group:
    routes = {name: _of(by_price, people.rows) for name, by_price in everywhere.items()}
    balanced = next(iter(routes.values()))[prices[1]]
    return Group(
        people.name,
        people.in_3d,
        people.measure,
        tuple(_parts(people, routes, rule, costs, prices, rounds)),
        tuple(predicted(people, rule, rounds=rounds))
        if isinstance(rule, GainPolicy) and people.in_3d
        else (),
        tuple(exits(people, balanced)),
        tuple(covered(people, balanced, rounds=rounds)) if people.in_3d else (),
    )


def _parts(
    people: People,
    routes: Mapping[str, Played],
    default: Policy,
    costs: Costs,
    prices: Sequence[float],
    rounds: int,
) -> list[Part]:
    found = []
    for name, (some, rows) in parts(people).items():
        of_some = {policy: _of(by_price, rows) for policy, by_price in routes.items()}
        goals = tuple(
            against(some, default, costs, rounds=rounds)
            for against in (against_deepest, against_refine)
        )
        found.append(
            Part(
                name,
                len(some),
                int(some.unit.max()) + 1,
                tuple(fixed(some, costs, rounds=rounds)),
                tuple(points(some, of_some, costs, prices, rounds=rounds)),
                tuple(
                    curve(some, policy, by_price, costs)
                    for policy, by_price in of_some.items()
                    if len(by_price) > 1
                ),
                goals,
                tuple(rivals(some, of_some, costs, rounds=rounds)),
            )
        )
    return found


def _of(by_price: Played, rows: Indices) -> Played:
    return {price: routes[rows] for price, routes in by_price.items()}


def learned(name: str) -> bool:
    """Whether a policy was fitted, so that it ought to beat chance."""
    return name not in {corner.name for corner in CORNERS}
