"""What the runs on all films came to: one row a system, our rows against the best peer, JSON and markdown."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np

from posecascade.models.arrays import Indices
from posecascade.models.lab.evaluation.peers import Skipped
from posecascade.models.lab.evaluation.streams.measures import (
    ACCELERATION,
    JITTER,
    LAG,
    MEASURES,
    Measure,
    excess,
    figure,
    in_common,
    share,
)
from posecascade.models.lab.evaluation.streams.paths import (
    Paths,
    id_switches,
    missed_between,
)
from posecascade.models.lab.evaluation.streams.run import FilmRun
from posecascade.models.lab.evaluation.tables import cell, known, table
from posecascade.models.lab.scoring.figures import Figure

REACH: Final = {JITTER: 0.5, ACCELERATION: 0.5}
"""Of the best peer's, which a smoothed stream should not exceed."""
REACH_LAG_MS: Final = 40.0
"""Below which both the lag and what smoothing adds to it should stay: an estimate that errs early buys no delay."""

PROTOCOL: Final = (
    "People are matched frame by frame as in `posecascade eval`; figures are of the 12 limb joints where every system "
    "that says such a thing found the person, 3D relative to the mid-hip. Jitter: root mean square distance of the "
    "error from its own mean over half a second, where the true joint keeps within 10 mm (in the picture 2 px, the "
    "mid-hip in space 30 mm) of its mean place; the mean of all such joints and half seconds, and the root mean "
    "square, which a few joints that jump to another limb or person decide. Acceleration error: mean |a - a_true| of "
    "second differences (HMMR, VIBE). Lag: by how much the truth must be held back to correlate best with what is "
    "said, over joints that move by 30 mm (4 px, mid-hips 60 mm); all together, between frames by a parabola. Gaps: "
    "someone found, missed, and found again while they are there. Both rows of a quality are of the same inference. "
    "In brackets: 95 % bootstrap interval over the people."
)

_BY_KEY: Final[dict[str, Measure]] = {measure.key: measure for measure in MEASURES}


@dataclass(frozen=True, slots=True)
class StreamRow:
    """One system on all films."""

    system: str
    found_percent: float
    gaps: int
    id_switches: int | None
    """None: the system does not say who is who."""
    figures: Mapping[str, Figure]
    """By `Measure.key`."""
    against_peer: Mapping[str, Figure]
    """What `REACH` names, as a share of the best peer's; empty for a peer and without one."""
    added_lag_ms: Figure | None = None
    """By how much smoothing makes it later than each frame by itself; None where nothing is smoothed."""


@dataclass(frozen=True, slots=True)
class StreamReport:
    """Everything that one call of `posecascade eval stream` found out."""

    rows: tuple[StreamRow, ...]
    best_peer: Mapping[str, str]
    """Its name, by `Measure.key`."""
    films: int
    people: int
    seconds: float
    """Of all people together, while they count."""
    conditions: Mapping[str, str]
    skipped: tuple[Skipped, ...]


def stream_report(
    runs: Sequence[FilmRun],
    ours: Sequence[tuple[str, str]],
    conditions: Mapping[str, str],
    skipped: Sequence[Skipped],
    draws: Indices,
) -> StreamReport:
    """
    Args:
        runs: one a film, of the same systems, at one rate.
        ours: names of the systems that are ours, each frame by itself and smoothed; the others are peers.
        draws: [R, P] resampled people, of all films together.
    """
    fps = runs[0].film.fps
    systems = list(runs[0].said)
    unsmoothed = {smoothed: raw for raw, smoothed in ours}
    peers = [
        name for name in systems if name not in {*unsmoothed, *unsmoothed.values()}
    ]
    common = [
        dict(zip(systems, in_common([run.said[name] for name in systems]), strict=True))
        for run in runs
    ]
    sums = {
        (measure.key, name): np.concatenate(
            [
                measure.sums(paths[name], run.truth, fps)
                for run, paths in zip(runs, common, strict=True)
            ]
        )
        for measure in MEASURES
        for name in systems
    }
    figures = {
        name: {
            measure.key: figure(measure, sums[measure.key, name], fps, draws)
            for measure in MEASURES
        }
        for name in systems
    }
    best = {key: name for key in REACH if (name := _least(key, peers, figures))}

    def shares(name: str) -> dict[str, Figure]:
        return {
            measure.key: share(
                measure,
                sums[measure.key, name],
                sums[measure.key, best[measure.key]],
                fps,
                draws,
            )
            for measure in MEASURES
            if measure.key in best and name not in peers
        }

    def added(name: str) -> Figure | None:
        raw = unsmoothed.get(name)
        return (
            None
            if raw is None
            else excess(_BY_KEY[LAG], sums[LAG, name], sums[LAG, raw], fps, draws)
        )

    rows = [
        _row(name, runs, figures[name], shares(name), added(name)) for name in systems
    ]
    there = sum(int(run.truth.there.sum()) for run in runs)
    return StreamReport(
        tuple(rows),
        best,
        len(runs),
        sum(len(run.film.ids) for run in runs),
        there / fps,
        conditions,
        tuple(skipped),
    )


def _least(
    key: str, peers: Sequence[str], figures: Mapping[str, Mapping[str, Figure]]
) -> str | None:
    said = {
        name: figures[name][key].value
        for name in peers
        if np.isfinite(figures[name][key].value)
    }
    return min(said, key=lambda name: said[name]) if said else None


def _row(
    name: str,
    runs: Sequence[FilmRun],
    figures: Mapping[str, Figure],
    shares: Mapping[str, Figure],
    added_lag_ms: Figure | None,
) -> StreamRow:
    pairs: list[tuple[Paths, Paths]] = [(run.said[name], run.truth) for run in runs]
    there = sum(int(truth.there.sum()) for _, truth in pairs)
    found = sum(int(said.there.sum()) for said, _ in pairs)
    says_ids = any((said.ids >= 0).any() for said, _ in pairs)
    return StreamRow(
        name,
        100 * found / there if there else np.nan,
        sum(missed_between(*pair) for pair in pairs),
        sum(id_switches(said) for said, _ in pairs) if says_ids else None,
        figures,
        shares,
        added_lag_ms,
    )


def as_json(report: StreamReport) -> dict[str, Any]:
    """Plain lists, dicts and numbers; what is unknown is None."""
    return {
        key: known(value)
        for key, value in (asdict(report) | {"protocol": PROTOCOL}).items()
    }


def as_markdown(report: StreamReport) -> str:
    """The table, our rows against the reach, and what was left out."""
    head = [
        "system",
        "found %",
        "gaps",
        "id switches",
        *(measure.title for measure in MEASURES),
    ]
    body = [
        [
            row.system,
            f"{row.found_percent:.1f}",
            str(row.gaps),
            "-" if row.id_switches is None else str(row.id_switches),
            *(cell(row.figures[measure.key], measure.digits) for measure in MEASURES),
        ]
        for row in report.rows
    ]
    parts = [
        "# Steadiness of streams",
        PROTOCOL,
        "; ".join(f"{key}: {value}" for key, value in report.conditions.items()),
        f"## {report.films} films, {report.people} people, {report.seconds:.0f} s of them",
        table(head, body),
    ]
    parts += _reach(report)
    if report.skipped:
        parts += [
            "## Skipped",
            "\n".join(f"- {skip.name}: {skip.reason}" for skip in report.skipped),
        ]
    return "\n\n".join(parts) + "\n"


def _reach(report: StreamReport) -> list[str]:
    """Our rows against the best peer, with the lag they pay for it."""
    keys = [key for key in REACH if key in report.best_peer]
    ours = [row for row in report.rows if row.against_peer]
    if not ours:
        return []
    head = [
        "system",
        *(
            f"{_BY_KEY[key].title.removesuffix(' mm').removesuffix(' mm/frame^2')} / "
            f"{report.best_peer[key]}'s (at most {REACH[key]:.2f})"
            for key in keys
        ),
        f"lag ms (below {REACH_LAG_MS:.0f})",
        "of that smoothing ms (likewise)",
        "reached",
    ]
    body = [
        [
            row.system,
            *(cell(row.against_peer[key], 2) for key in keys),
            cell(row.figures[LAG], 0),
            "-" if row.added_lag_ms is None else cell(row.added_lag_ms, 0),
            "yes" if reached(row) else "no",
        ]
        for row in ours
    ]
    return ["## Against the best peer", table(head, body)]


def reached(row: StreamRow) -> bool:
    """Whether a row of ours is as steady as `REACH` asks, and not too late; False where that was not measured."""
    steady = all(
        key in row.against_peer and row.against_peer[key].value <= most
        for key, most in REACH.items()
    )
    lags = [row.figures[LAG], *([row.added_lag_ms] if row.added_lag_ms else [])]
    return steady and all(lag.value < REACH_LAG_MS for lag in lags)
