"""What reuse saves and what it costs, against exact truth and, on plain videos, against the answers without reuse."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

import numpy as np

from posecascade.models.arrays import Indices
from posecascade.models.lab.evaluation.streams.measures import (
    MEASURES,
    Measure,
    excess,
    figure,
    in_common,
)
from posecascade.models.lab.evaluation.streams.paths import (
    Paths,
    Sighting,
    said_paths,
    true_paths,
)
from posecascade.models.lab.evaluation.streams.reuse import (
    NO_REUSE,
    Run,
    Stream,
    away_mm,
)
from posecascade.models.lab.evaluation.tables import cell, known, table
from posecascade.models.lab.scoring.answers import Guess
from posecascade.models.lab.scoring.figures import Figure
from posecascade.models.lab.scoring.films import Film
from posecascade.models.lab.scoring.shots import Shot

AFTER_CUT: Final = 5
"""Frames after a cut that are told apart."""

PROTOCOL: Final = (
    "The films are one stream, without a pause: every join is a cut. Errors are of the 12 limb joints relative to the "
    "mid-hip, on people whom every system found; extra is the error beyond that without reuse, after a cut in the "
    f"first {AFTER_CUT} frames of each film but the first. Away is the mean distance from the answers without reuse, "
    "relative to the root. Deep looks are those of refine and expert together. Jitter and acceleration error as in "
    "`posecascade eval stream`, before smoothing. In brackets: 95 % bootstrap interval over the people."
)
_BY_KEY: Final[dict[str, Measure]] = {measure.key: measure for measure in MEASURES}
_SHOWN: Final = ("mpjpe", "jitter", "jitter_rms", "acceleration")


@dataclass(frozen=True, slots=True)
class ReuseRow:
    """One way to reuse on one set of streams; None where there is no truth."""

    system: str
    removed_percent: float
    """Of the deep looks without reuse."""
    deep_ms: float
    """A person and frame, at the manifest's costs."""
    away_mm: float
    figures: Mapping[str, Figure] | None
    extra_mm: Figure | None
    extra_after_cut_mm: Figure | None


@dataclass(frozen=True, slots=True)
class ReuseReport:
    """One set of streams at one quality."""

    title: str
    frames: int
    people: int
    """People times frames."""
    rows: tuple[ReuseRow, ...]


def shown(film: Film) -> Stream:
    """A film as a stream."""

    def shots() -> Iterable[Shot]:
        for frame, time_s in zip(film.frames, film.times_s, strict=True):
            yield Shot(frame.image_bgr(), frame.camera, float(time_s))

    return shots


def common_paths(
    runs: Mapping[str, Run], films: Sequence[Film]
) -> dict[str, list[Paths]]:
    """What each run says of each film, left only where every run has somebody; `films` are those they were shown."""
    ends = np.cumsum([len(film.frames) for film in films])
    paths: dict[str, list[Paths]] = {name: [] for name in runs}
    for film, end in zip(films, ends, strict=True):
        own = slice(end - len(film.frames), end)
        predicted = [
            said_paths(
                film,
                [
                    [Sighting(Guess.of(person)) for person in frame.people]
                    for frame in run.frames[own]
                ],
            )
            for run in runs.values()
        ]
        for name, common in zip(runs, in_common(predicted), strict=True):
            paths[name].append(common)
    return paths


def reuse_report(
    title: str, runs: Mapping[str, Run], films: Sequence[Film] | None, draws: Indices
) -> ReuseReport:
    """
    Args:
        films: those that `runs` were shown, with truth; None: there is none.
        draws: [R, P] resampled people, of all films together.
    """
    base = runs[NO_REUSE]
    most = sum(base.looks.values())
    reported = (
        {name: _Told(None, None, None) for name in runs}
        if films is None
        else _against_truth(runs, films, draws)
    )
    rows = [
        ReuseRow(
            name,
            100 * (1 - sum(run.looks.values()) / most) if most else 0.0,
            run.person_ms,
            float(away.mean()) if (away := away_mm(run, base)).size else np.nan,
            reported[name].figures,
            reported[name].extra_mm,
            reported[name].extra_after_cut_mm,
        )
        for name, run in runs.items()
    ]
    return ReuseReport(title, len(base.frames), base.people, tuple(rows))


@dataclass(frozen=True, slots=True)
class _Told:
    """What the truth says of one run."""

    figures: Mapping[str, Figure] | None
    extra_mm: Figure | None
    extra_after_cut_mm: Figure | None


def _against_truth(
    runs: Mapping[str, Run], films: Sequence[Film], draws: Indices
) -> dict[str, _Told]:
    truths = [true_paths(film) for film in films]
    paths = common_paths(runs, films)
    fps = films[0].fps

    def sums(key: str, name: str) -> Any:
        return np.concatenate(
            [
                _BY_KEY[key].sums(predicted, truth, fps)
                for predicted, truth in zip(paths[name], truths, strict=True)
            ]
        )

    def after_cut(name: str) -> Any:
        return np.concatenate(
            [
                _BY_KEY["mpjpe"].sums(
                    _first(predicted, AFTER_CUT if number else 0), truth, fps
                )
                for number, (predicted, truth) in enumerate(
                    zip(paths[name], truths, strict=True)
                )
            ]
        )

    return {
        name: _Told(
            {key: figure(_BY_KEY[key], sums(key, name), fps, draws) for key in _SHOWN},
            excess(
                _BY_KEY["mpjpe"],
                sums("mpjpe", name),
                sums("mpjpe", NO_REUSE),
                fps,
                draws,
            ),
            excess(_BY_KEY["mpjpe"], after_cut(name), after_cut(NO_REUSE), fps, draws),
        )
        for name in runs
    }


def _first(paths: Paths, frames: int) -> Paths:
    """The first so many frames alone."""
    cut = paths.joints_mm.copy()
    cut[:, frames:] = np.nan
    return replace(paths, joints_mm=cut)


def as_json(
    reports: Sequence[ReuseReport], conditions: Mapping[str, str]
) -> dict[str, Any]:
    """Plain lists, dicts and numbers; what is unknown is None."""
    return {
        key: known(value)
        for key, value in {
            "protocol": PROTOCOL,
            "conditions": dict(conditions),
            "reports": [asdict(report) for report in reports],
        }.items()
    }


def as_markdown(reports: Sequence[ReuseReport], conditions: Mapping[str, str]) -> str:
    """One table for each set of streams."""
    parts = [
        "# Reuse of deep looks in streams",
        PROTOCOL,
        "; ".join(f"{key}: {predicted}" for key, predicted in conditions.items()),
    ]
    for report in reports:
        parts += [
            f"## {report.title}: {report.frames} frames, {report.people} people in them",
            _table(report),
        ]
    return "\n\n".join(parts) + "\n"


def _table(report: ReuseReport) -> str:
    labelled = any(row.figures is not None for row in report.rows)
    head = ["system", "deep looks removed %", "deep ms a person", "away mm"]
    if labelled:
        head += [
            "extra error mm",
            "after a cut",
            *(_BY_KEY[key].title for key in _SHOWN),
        ]
    return table(head, [_cells(row) for row in report.rows])


def _cells(row: ReuseRow) -> list[str]:
    cells = [
        row.system,
        f"{row.removed_percent:.0f}",
        f"{row.deep_ms:.1f}",
        f"{row.away_mm:.1f}",
    ]
    if (
        row.figures is not None
        and row.extra_mm is not None
        and row.extra_after_cut_mm is not None
    ):
        cells += [
            cell(row.extra_mm, 1),
            cell(row.extra_after_cut_mm, 1),
            *(cell(row.figures[key], _BY_KEY[key].digits) for key in _SHOWN),
        ]
    return cells
