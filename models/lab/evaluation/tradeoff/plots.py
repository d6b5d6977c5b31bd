"""Figures of the trade-off: error against time and compute, efficacy, reliability of the gain, exits by difficulty."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from matplotlib.ticker import PercentFormatter

from posecascade.models.lab.evaluation.tradeoff.measure import Group, Part, learned
from posecascade.models.lab.scoring.recorded import ROUTES

DPI: Final = 80
_NAMES: Final = ("coarse", *(" + ".join(route) for route in ROUTES[1:]))
_MARKS: Final = "os^D"
_STYLES: Final = ("-", "--", ":")


def save_plots(out: Path, groups: Sequence[Group]) -> list[Path]:
    """All of them; returns where they lie."""
    paths = []
    for group in groups:
        paths.append(out / f"tradeoff_{re.sub(r'[^A-Za-z0-9]+', '_', group.name)}.png")
        save_tradeoff(paths[-1], group)
    for name, draw, panels in (
        ("efficacy", _efficacy, groups),
        (
            "gain_reliability",
            _reliability,
            [group for group in groups if group.predicted],
        ),
        ("exits", _exits, [group for group in groups if group.exits]),
    ):
        if panels:
            paths.append(out / f"{name}.png")
            canvas = Canvas(figsize=(4.6 * len(panels), 4.4), layout="constrained")
            for axes, group in zip(
                canvas.subplots(1, len(panels), squeeze=False)[0], panels, strict=True
            ):
                draw(axes, group)
                axes.set_title(group.name, fontsize=9)
            canvas.savefig(paths[-1], dpi=DPI)
    return paths


def save_tradeoff(path: Path, group: Group) -> None:
    """Error against deep ms and against deep GMACs a person: everybody above, the hardest third below."""
    canvas = Canvas(figsize=(11, 4.2 * len(group.parts)), layout="constrained")
    grid = canvas.subplots(len(group.parts), 2, squeeze=False)
    for row, part in zip(grid, group.parts, strict=True):
        _errors(row[0], part, "deep_ms", "deep ms a person")
        _errors(row[1], part, "deep_gmacs", "deep GMACs a person")
        for axes in row:
            axes.set(ylabel=group.measure, title=f"{part.name}, {part.people} people")
    handles, labels = grid[0, 0].get_legend_handles_labels()
    canvas.suptitle(group.name)
    canvas.legend(handles, labels, loc="outside lower center", ncols=4, fontsize=8)
    canvas.savefig(path, dpi=DPI)


def _errors(axes: Axes, part: Part, cost: str, label: str) -> None:
    for number, curve in enumerate(part.curves):
        known = learned(curve.policy)
        axes.plot(
            getattr(curve, cost),
            curve.error,
            lw=2.2 if number == 0 else 1.0,
            label=curve.policy,
            ls=_STYLES[number // 10] if known else ":",
            color=f"C{number % 10}" if known else "grey",
        )
    first = part.curves[0]
    axes.plot(
        getattr(first, cost),
        first.oracle,
        "k--",
        lw=0.9,
        label=f"oracle at the time of {first.policy}",
    )
    for mark, name, point in zip(_MARKS, _NAMES, part.routes, strict=True):
        figure = point.error
        gap = [[figure.value - figure.low], [figure.high - figure.value]]
        axes.errorbar(
            getattr(point, cost).value,
            figure.value,
            gap,
            fmt=mark,
            color="black",
            ms=5,
            elinewidth=0.6,
            label=f"everybody: {name}",
        )
    axes.set_xlabel(label)
    axes.grid(alpha=0.3)


def _efficacy(axes: Axes, group: Group) -> None:
    """Of learned rules over the share of the deepest's time, everybody."""
    part = group.parts[0]
    whole = part.routes[-1].deep_ms.value
    for number, curve in enumerate(part.curves):
        if learned(curve.policy):
            axes.plot(
                np.array(curve.deep_ms) / whole,
                curve.efficacy,
                marker="o",
                ms=2.5,
                lw=2.0 if number == 0 else 0.9,
                color=f"C{number % 10}",
                ls=_STYLES[number // 10],
                label=curve.policy,
            )
    axes.axhline(0, color="black", lw=0.8)
    axes.set(
        xlabel="share of the deepest's deep time",
        ylabel="efficacy: 0 chance, 1 oracle",
        xlim=(0, 1),
        ylim=(-0.4, 1.0),
    )
    axes.xaxis.set_major_formatter(PercentFormatter(1.0))
    axes.legend(fontsize=7)
    axes.grid(alpha=0.3)


def _reliability(axes: Axes, group: Group) -> None:
    """Mean realised gain of fifths of the predicted one."""
    for number, way in enumerate(group.predicted):
        reported = [one.predicted_mm for one in way.bins]
        came = [one.realised_mm for one in way.bins]
        gap = [
            [max(one.value - one.low, 0) for one in came],
            [max(one.high - one.value, 0) for one in came],
        ]
        axes.errorbar(
            reported,
            [one.value for one in came],
            gap,
            fmt="o-",
            ms=4,
            lw=0.9,
            elinewidth=0.6,
            color=f"C{number}",
            label=f"{way.after} -> {way.way}",
        )
    axes.axline((0, 0), slope=1, color="black", lw=0.8)
    axes.set(xlabel="predicted gain, mm", ylabel="realised gain, mm")
    axes.legend(fontsize=7)
    axes.grid(alpha=0.3)


def _exits(axes: Axes, group: Group) -> None:
    """Share of the people on each route, by difficulty."""
    below = np.zeros(len(group.exits))
    for number, name in enumerate(_NAMES):
        share = np.array([one.shares[number] for one in group.exits])
        axes.bar(
            [one.part for one in group.exits],
            share,
            bottom=below,
            color=f"C{number}",
            label=name,
        )
        below += share
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    axes.set(ylabel="answered by")
    axes.legend(
        fontsize=7, ncols=4, loc="upper center", bbox_to_anchor=(0.5, -0.08)
    )  # beside the bars, not on them
