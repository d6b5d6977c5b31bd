"""Figures of a run: error against cost, the frontier of both, and stated against true uncertainty."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from matplotlib.lines import Line2D

from posecascade.models.lab.evaluation.frontier import frontier
from posecascade.models.lab.evaluation.tables import Row
from posecascade.models.lab.scoring.figures import Figure
from posecascade.models.lab.scoring.metrics import sparsification
from posecascade.models.lab.scoring.scoring import PersonScore
from posecascade.models.lab.scoring.systems import ASSUMED_FOV, COARSE, EXPERT

_MARKS: Final = "osD^v<>PX*"
_SERVED_AS: Final = {COARSE: "fast", EXPERT: "best"}
"""The quality at which the service runs the very same."""
_PANELS: Final = (
    ("pck3d", "3DPCK@150 %", 1.0),
    ("mpjpe", "MPJPE mm of those found (up is better)", -1.0),
    ("pck2d", "PCK2D@.1 %", 1.0),
)
"""Key of the metric, label, and the sign that makes more better."""


def save_error_against_cost(path: Path, rows: Sequence[Row]) -> bool:
    """Each system as a point: CPU ms per frame and 3DPCK@150 (2D PCK where a folder has no 3D), a panel per folder.

    Returns:
        Whether there was anything to draw.
    """
    folders = list(dict.fromkeys(row.folder for row in rows))
    if not folders:
        return False
    canvas = Canvas(figsize=(max(7, 4 * len(folders)), 5.5), layout="constrained")
    systems = list(dict.fromkeys(row.system for row in rows))
    for axes, folder in zip(
        np.atleast_1d(canvas.subplots(1, len(folders))), folders, strict=True
    ):
        _cost_panel(axes, [row for row in rows if row.folder == folder], systems)
    _legend(canvas, systems)
    canvas.savefig(path, dpi=110)
    return True


def _legend(canvas: Canvas, systems: Sequence[str]) -> None:
    """Below the panels, by the number of each system."""
    marks = [
        Line2D(
            [],
            [],
            ls="",
            color=f"C{number}",
            marker=_MARKS[number % len(_MARKS)],
            label=system,
        )
        for number, system in enumerate(systems)
    ]
    canvas.legend(handles=marks, loc="outside lower center", ncols=3, fontsize=8)


def _point(axes: Axes, cost_ms: float, figure: Figure, number: int) -> None:
    """System `number`, with its interval."""
    gap = [[max(figure.value - figure.low, 0)], [max(figure.high - figure.value, 0)]]
    axes.errorbar(
        cost_ms,
        figure.value,
        gap,
        fmt=_MARKS[number % len(_MARKS)],
        color=f"C{number}",
        elinewidth=0.8,
    )


def _cost_panel(axes: Axes, rows: Sequence[Row], systems: Sequence[str]) -> None:
    key, label = (
        ("pck3d", "3DPCK@150 %")
        if rows[0].summary.people_3d
        else ("pck2d", "PCK2D@.1 %")
    )
    for row in rows:
        _point(
            axes,
            row.summary.cpu_ms,
            row.summary.figures[key],
            systems.index(row.system),
        )
    axes.set(
        xlabel="CPU ms per frame",
        ylabel=label,
        title=rows[0].folder,
        xlim=(0, None),
        ylim=(0, 100),
    )
    axes.grid(alpha=0.3)


def save_frontier(path: Path, rows: Sequence[Row]) -> bool:
    """One folder's systems by median wall ms and accuracy, with what is best at each cost as a step line.

    Args:
        path: of the picture.
        rows: of one folder, from one run: elsewhere the milliseconds would not compare. Who is not told the camera is
            left out, for it is the same system again.

    Returns:
        Whether there was anything to draw.
    """
    reported = [row for row in rows if not row.system.endswith(ASSUMED_FOV)]
    panels = [
        panel
        for panel in _PANELS
        if any(np.isfinite(row.summary.figures[panel[0]].value) for row in reported)
    ]
    if not panels:
        return False
    canvas = Canvas(figsize=(max(7, 5 * len(panels)), 6), layout="constrained")
    for axes, (key, label, sign) in zip(
        np.atleast_1d(canvas.subplots(1, len(panels))), panels, strict=True
    ):
        _frontier_panel(axes, reported, key, sign)
        axes.set(xlabel="median wall ms per frame", ylabel=label)
    count = reported[0].summary
    canvas.suptitle(
        f"{reported[0].folder}: {count.frames} frames, {count.people} people; line: best at the cost"
    )
    _legend(
        canvas,
        [
            f"{row.system} (quality {_SERVED_AS[row.system]})"
            if row.system in _SERVED_AS
            else row.system
            for row in reported
        ],
    )
    canvas.savefig(path, dpi=110)
    return True


def _frontier_panel(axes: Axes, rows: Sequence[Row], key: str, sign: float) -> None:
    for number, row in enumerate(rows):
        _point(axes, row.summary.wall_ms, row.summary.figures[key], number)
    wall_ms = np.array([row.summary.wall_ms for row in rows])
    value = np.array([row.summary.figures[key].value for row in rows])
    best = frontier(wall_ms, sign * value)
    if best.size:
        right = 1.08 * wall_ms.max()
        axes.step(
            [*wall_ms[best], right],
            [*value[best], value[best[-1]]],
            where="post",
            color="black",
            lw=0.9,
            zorder=0,
        )
        axes.set_xlim(0, right)
    if sign < 0:
        axes.invert_yaxis()
    axes.grid(alpha=0.3)


def save_uncertainty(path: Path, people: Mapping[str, Sequence[PersonScore]]) -> bool:
    """Sparsification and reliability of each system's sigmas, from everyone it found with 3D truth.

    Args:
        path: of the picture.
        people: by system; all found in 3D with sigmas.

    Returns:
        Whether there was anything to draw.
    """
    reported = {system: found for system, found in people.items() if found}
    if not reported:
        return False
    canvas = Canvas(figsize=(11, 4.5), layout="constrained")
    ranking, reliability = canvas.subplots(1, 2)
    for number, (system, found) in enumerate(reported.items()):
        errors = np.concatenate([person.errors_mm for person in found])
        sigmas = np.concatenate([person.sigma_mm for person in found])
        curves = sparsification(errors, sigmas)
        ranking.plot(
            curves.removed,
            curves.by_sigma,
            color=f"C{number}",
            label=f"{system}, AUSE {curves.ause:.3f}",
        )
        ranking.plot(
            curves.removed, curves.by_error, color=f"C{number}", lw=0.8, ls=":"
        )
        reliability.plot(
            *_reliability(errors, sigmas), "o-", ms=3, color=f"C{number}", label=system
        )
    ranking.set(
        xlabel="share of joints removed, most doubtful first",
        ylabel="mean error left / mean error",
        title="dotted: ranked by the true error",
    )
    reliability.set(
        xlabel="stated sigma, mm",
        ylabel="RMS error, mm",
        title="ten bins of equal size",
    )
    reliability.axline((0, 0), slope=1, color="black", lw=0.8)
    for axes in (ranking, reliability):
        axes.legend(fontsize=7)
        axes.grid(alpha=0.3)
    canvas.savefig(path, dpi=110)
    return True


def _reliability(
    errors: np.ndarray, sigmas: np.ndarray, bins: int = 10
) -> tuple[list[float], list[float]]:
    """RMS sigma and RMS error of each bin."""
    groups = np.array_split(np.argsort(sigmas, kind="stable"), min(bins, len(sigmas)))
    return (
        [float(np.sqrt((sigmas[group] ** 2).mean())) for group in groups],
        [float(np.sqrt((errors[group] ** 2).mean())) for group in groups],
    )
