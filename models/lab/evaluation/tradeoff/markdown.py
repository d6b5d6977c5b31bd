"""The trade-off in words and tables."""

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from posecascade.models.lab.evaluation.tables import cell, signed, table
from posecascade.models.lab.evaluation.tradeoff.goals import Against
from posecascade.models.lab.evaluation.tradeoff.measure import (
    Group,
    Part,
    Report,
    learned,
)
from posecascade.models.lab.evaluation.tradeoff.points import Point
from posecascade.models.lab.evaluation.tradeoff.reliability import Predicted
from posecascade.models.lab.evaluation.tradeoff.rivals import SHARES, Rival
from posecascade.models.lab.evaluation.tradeoff.splits import Broken, allowed
from posecascade.models.lab.fitting.bounds import CONFIDENCE
from posecascade.models.lab.fitting.operating_points import BOUND_MM
from posecascade.models.lab.scoring.metrics import LAPLACE_COVERAGE
from posecascade.models.lab.scoring.recorded import ROUTES

PROTOCOL: Final = (
    "Every policy at the same three prices, on labelled people whom `coarse` found; nobody here was used to fit a "
    "policy or to choose a price. Deep ms and GMACs are a person's, beyond `coarse`, at the manifest's costs; in "
    "brackets: 95 % bootstrap interval over films, moments or pictures, whichever depend on each other. Gain kept is "
    "the share of what everyone-to-the-deepest removes. At equal cost stand beside each rule: chance (its own routes "
    "dealt blindly, the mean of all shuffles), turns (the same routes dealt evenly in order), the best blind mix of "
    "routes (chosen on these very people, which no rule could), and an oracle that knows every error, so that part of "
    "what it removes is luck. Efficacy is the share of what the oracle removes beyond chance that the rule removes too."
)
_NAMES: Final = ("coarse", *(" + ".join(route) for route in ROUTES[1:]))


def as_markdown(report: Report) -> str:
    """The whole report."""
    pieces = [
        "# Accuracy against compute",
        PROTOCOL,
        "; ".join(f"{key}: {value}" for key, value in report.conditions.items()),
    ]
    for group in report.groups:
        pieces += _group(group, report.default)
    pieces += _broken(report)
    return "\n\n".join(pieces) + "\n"


def _group(group: Group, default: str) -> Iterator[str]:
    right = "3DPCK@150" if group.in_3d else "PCK2D@.1"
    for part in group.parts:
        yield f"## {group.name}, {part.name}: {part.people} people in {part.units} films, moments or pictures"
        yield _points(part, group.measure)
        yield "\n".join(
            f"- {line}"
            for line in (*_verdicts(part), *_goals(part, group.measure, default))
        )
        yield (
            f"At equal time: {group.measure}, {right}, and in brackets the interval of the error minus that of "
            f"`{default}` (above 0: `{default}` is better). Between two prices a coin decides."
        )
        yield _rivals(part)
    if group.predicted:
        yield f"## {group.name}: predicted against realised gain of `{default}`"
        yield _predicted(group.predicted)
    if group.exits:
        yield f"## {group.name}: who is answered by what, `{default}` at the balanced price"
        yield table(
            ["people", "number", *_NAMES],
            [
                [
                    one.part,
                    str(one.people),
                    *(f"{100 * share:.0f} %" for share in one.shares),
                ]
                for one in group.exits
            ],
        )
    if group.covered:
        yield (
            f"## {group.name}: errors within one sigma, as answered by `{default}` "
            f"({100 * LAPLACE_COVERAGE:.0f} % when calibrated)"
        )
        yield table(
            ["people", "number", "within one sigma %"],
            [[one.part, str(one.people), cell(one.share, 0)] for one in group.covered],
        )


def _points(part: Part, measure: str) -> str:
    head = [
        "policy",
        "price",
        "deep ms",
        "deep GMACs",
        "of the deepest's time",
        measure,
        "3DPCK@150",
        "PCK2D@.1",
        "gain kept %",
        "at equal cost: chance / turns / best mix / oracle",
        "efficacy",
    ]
    return table(head, [_row(point) for point in (*part.routes, *part.points)])


def _rivals(part: Part) -> str:
    head = [
        "policy",
        *(f"at {100 * share:.0f} % of the deepest's time" for share in SHARES),
    ]
    names = dict.fromkeys(one.policy for one in part.rivals)
    return table(
        head,
        [
            [name, *(_rival(one) for one in part.rivals if one.policy == name)]
            for name in names
        ],
    )


def _rival(one: Rival) -> str:
    right = "-" if math.isnan(one.right.value) else f"{one.right.value:.1f}"
    return f"{one.error.value:.1f}, {right} [{one.behind.low:+.1f}, {one.behind.high:+.1f}]"


def _row(point: Point) -> list[str]:
    chosen = math.isfinite(point.efficacy.value)
    beside = " / ".join(
        f"{one.value:.1f}"
        for one in (point.chance, point.turns, point.mix, point.oracle)
    )
    return [
        point.policy,
        "-" if point.price is None else f"{point.price:g}",
        f"{point.deep_ms.value:.1f}",
        f"{point.deep_gmacs.value:.2f}",
        f"{100 * point.compute:.0f} %",
        cell(point.error, 1),
        cell(point.pck3d, 1),
        cell(point.pck2d, 1),
        cell(point.kept, 0),
        beside if chosen else "-",
        cell(point.efficacy, 2),
    ]


def _verdicts(part: Part) -> Iterator[str]:
    """Which rules do not beat those who do not look."""
    rules = [
        point
        for point in part.points
        if learned(point.policy) and math.isfinite(point.efficacy.value)
    ]
    for opponent, key in (
        ("chance", "beats_chance"),
        ("turns", "beats_turns"),
        ("the best blind mix", "beats_mix"),
    ):
        behind = [point for point in rules if getattr(point, key).low <= 0]
        worse = [point for point in behind if getattr(point, key).high < 0]
        untold = [point for point in behind if point not in worse]
        if worse:
            yield f"Worse than {opponent} at equal cost: {_listed(worse)}."
        if untold:
            yield f"Not told from {opponent} at equal cost: {_listed(untold)}."
        if rules and not behind:
            yield f"Every learned rule beats {opponent} at equal cost, at every price."


def _listed(rules: Iterable[Point]) -> str:
    by_name: dict[str, list[str]] = {}
    for point in rules:
        by_name.setdefault(point.policy, []).append(
            "any" if point.price is None else f"{point.price:g}"
        )
    return "; ".join(
        f"`{name}` at {', '.join(prices)}" for name, prices in by_name.items()
    )


def _goals(part: Part, measure: str, default: str) -> Iterator[str]:
    for goal in part.goals:
        yield (
            f"`{default}` at price {goal.price:.3g}, {goal.deep_ms:.1f} ms of at most {goal.bound_ms:.1f}, against "
            f"everybody through {goal.opponent}: {_differences(goal, measure)}."
        )


def _differences(goal: Against, measure: str) -> str:
    named = (
        (measure, goal.error),
        ("points of 3DPCK@150", goal.pck3d),
        ("points of PCK2D@.1", goal.pck2d),
    )
    return ", ".join(
        f"{signed(figure, 2)} {name}"
        for name, figure in named
        if math.isfinite(figure.value)
    )


def _predicted(ways: Sequence[Predicted]) -> str:
    head = [
        "look",
        "people",
        "predicted mm",
        "realised mm",
        "correlation",
        "by fifths of the prediction: predicted -> realised",
    ]
    return table(
        head,
        [
            [
                f"{way.after} -> {way.way}",
                str(way.people),
                f"{way.predicted_mm:.1f}",
                cell(way.realised_mm, 1),
                f"{way.correlation:.2f}",
                "; ".join(
                    f"{one.predicted_mm:.0f} -> {cell(one.realised_mm, 0)}"
                    for one in way.bins
                ),
            ]
            for way in ways
        ],
    )


def _broken(report: Report) -> Iterator[str]:
    yield f"## Promises of `{report.default}`, kept and broken"
    yield (
        f"{report.splits} times the recorded units are halved, the promise is calibrated on one half and tried on "
        f"the other. Losses are judged by the deepest answer and cut at {BOUND_MM:g} mm a person; at "
        f"{CONFIDENCE:.0%} confidence {1 - CONFIDENCE:.0%} may be broken, {allowed(report.splits):.1%} with the "
        f"sampling error of {report.splits} trials. Broken is told where the truth is known: calibrated on as many "
        "units drawn with replacement, and compared with the mean of everybody. The other half's mean is itself a "
        "sample, and so may lie above a promise that holds; in truth: by the labels, where people are known in 3D."
    )
    head = [
        "max_extra_error_mm",
        "some price promised",
        "broken",
        "other half above",
        "other half above in truth",
        "mean extra error mm",
        "of the deepest's time",
    ]
    yield table(head, [_promise(one) for one in report.broken])


def _promise(one: Broken) -> list[str]:
    shares = one.guarantee, one.broken, one.missed, one.missed_in_truth
    return [
        f"{one.target_mm:g}",
        *map(_percent, shares),
        f"{one.mean_extra_mm:.1f}",
        _percent(one.compute),
    ]


def _percent(share: float) -> str:
    return "-" if math.isnan(share) else f"{100 * share:.1f} %"
