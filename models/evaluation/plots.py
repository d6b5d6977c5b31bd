"""Figures of a run: error against cost, and stated against true uncertainty."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from matplotlib.lines import Line2D

from models.evaluation.metrics import sparsification
from models.evaluation.scoring import PersonScore
from models.evaluation.tables import Row

_MARKS: Final = "osD^v<>PX*"


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
    for axes, folder in zip(np.atleast_1d(canvas.subplots(1, len(folders))), folders, strict=True):
        _cost_panel(axes, [row for row in rows if row.folder == folder], systems)
    marks = [Line2D([], [], ls="", color=f"C{number}", marker=_MARKS[number % len(_MARKS)], label=system)
             for number, system in enumerate(systems)]
    canvas.legend(handles=marks, loc="outside lower center", ncols=3, fontsize=8)
    canvas.savefig(path, dpi=110)
    return True


def _cost_panel(axes: Axes, rows: Sequence[Row], systems: Sequence[str]) -> None:
    key, label = ("pck3d", "3DPCK@150 %") if rows[0].summary.people_3d else ("pck2d", "PCK2D@.1 %")
    for row in rows:
        figure, number = row.summary.figures[key], systems.index(row.system)
        gap = [[max(figure.value - figure.low, 0)], [max(figure.high - figure.value, 0)]]
        axes.errorbar(row.summary.cpu_ms, figure.value, gap, fmt=_MARKS[number % len(_MARKS)], color=f"C{number}",
                      elinewidth=0.8)
    axes.set(xlabel="CPU ms per frame", ylabel=label, title=rows[0].folder, xlim=(0, None), ylim=(0, 100))
    axes.grid(alpha=0.3)


def save_uncertainty(path: Path, people: Mapping[str, Sequence[PersonScore]]) -> bool:
    """Sparsification and reliability of each system's sigmas, from everyone it found with 3D truth.

    Args:
        path: of the picture.
        people: by system; all found in 3D with sigmas.

    Returns:
        Whether there was anything to draw.
    """
    told = {system: found for system, found in people.items() if found}
    if not told:
        return False
    canvas = Canvas(figsize=(11, 4.5), layout="constrained")
    ranking, reliability = canvas.subplots(1, 2)
    for number, (system, found) in enumerate(told.items()):
        errors = np.concatenate([person.errors_mm for person in found])
        sigmas = np.concatenate([person.sigma_mm for person in found])
        curves = sparsification(errors, sigmas)
        ranking.plot(curves.removed, curves.by_sigma, color=f"C{number}", label=f"{system}, AUSE {curves.ause:.3f}")
        ranking.plot(curves.removed, curves.by_error, color=f"C{number}", lw=0.8, ls=":")
        reliability.plot(*_reliability(errors, sigmas), "o-", ms=3, color=f"C{number}", label=system)
    ranking.set(xlabel="share of joints removed, most doubtful first", ylabel="mean error left / mean error",
                title="dotted: ranked by the true error")
    reliability.set(xlabel="stated sigma, mm", ylabel="RMS error, mm", title="ten bins of equal size")
    reliability.axline((0, 0), slope=1, color="black", lw=0.8)
    for axes in (ranking, reliability):
        axes.legend(fontsize=7)
        axes.grid(alpha=0.3)
    canvas.savefig(path, dpi=110)
    return True


def _reliability(errors: np.ndarray, sigmas: np.ndarray, bins: int = 10) -> tuple[list[float], list[float]]:
    """RMS sigma and RMS error of each bin."""
    groups = np.array_split(np.argsort(sigmas, kind="stable"), min(bins, len(sigmas)))
    return ([float(np.sqrt((sigmas[group] ** 2).mean())) for group in groups],
            [float(np.sqrt((errors[group] ** 2).mean())) for group in groups])
