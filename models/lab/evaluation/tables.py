"""What a run came to, as JSON for programs and as markdown for people."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from posecascade.models.lab.evaluation.comparison import MEASURES, Change, Comparison
from posecascade.models.lab.evaluation.fairness import (
    LEAST_PEOPLE,
    MEASURED,
    Fairness,
    Gap,
)
from posecascade.models.lab.evaluation.peers import Skipped
from posecascade.models.lab.evaluation.sigma import PARTS, Reliability, SigmaFigures
from posecascade.models.lab.scoring.figures import METRICS, Figure, Summary
from posecascade.models.lab.scoring.metrics import LAPLACE_COVERAGE
from posecascade.models.records import Stage

PROTOCOL: Final = (
    "A labelled person counts with 6 or more of the 12 limb joints marked. Detections are matched by a Hungarian "
    "assignment on the mean of exp(-d^2 / (2 (0.15 s)^2)), s = sqrt(box area); found from 0.4 on. Found >=48 px is of "
    "the people whose box is that high; pairs kept: of all two people whose mid-hips are within 0.5 m of each other, "
    "how often both are found, each by a detection of their own. Missed people count 0 in PCK2D, AP, 3DPCK and AUC (0 "
    "to 150 mm in steps of 5) and not at all in MPJPE and PA-MPJPE. 3D is of the limb joints relative to the mid-hip; "
    "root is the median error of the mid-hip in camera space, in mm and as a share of its true distance. Systems are "
    "told the true camera where it is known, unless their name says that the field of view is assumed. In brackets: 95 "
    "% bootstrap interval over the frames; frames of one clip are alike, so true intervals are wider. Times are "
    "medians per frame without decoding."
)


@dataclass(frozen=True, slots=True)
class Row:
    """One system on one folder."""

    folder: str
    system: str
    summary: Summary
    sigma: SigmaFigures | None
    answered_by: Mapping[Stage, int]
    """How many of the people it reported each stage answered; empty for a peer."""


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that one call of `posecascade eval` found out."""

    rows: tuple[Row, ...]
    skipped: tuple[Skipped, ...]
    conditions: Mapping[str, str]
    """What the figures hold for: machine, threads, versions, seeds."""
    comparisons: Mapping[str, tuple[Comparison, ...]] = field(default_factory=dict)
    """By folder."""
    fairness: Mapping[str, Fairness] = field(default_factory=dict)
    """By folder, where people are of known groups."""


def as_json(report: Report) -> dict[str, Any]:
    """Plain lists, dicts and numbers; what is unknown is None."""
    return {
        key: known(value)
        for key, value in (asdict(report) | {"protocol": PROTOCOL}).items()
    }


def known(value: Any) -> Any:
    """For JSON, which has no NaN: None in its place."""
    if isinstance(value, Mapping):
        return {str(key): known(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [known(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def as_markdown(report: Report) -> str:
    """One table per folder, then comparisons, groups and sigmas, then what was left out."""
    folders = list(dict.fromkeys(row.folder for row in report.rows))
    parts = [
        "# Evaluation",
        PROTOCOL,
        "; ".join(f"{key}: {value}" for key, value in report.conditions.items()),
    ]
    for folder in folders:
        parts += _folder([row for row in report.rows if row.folder == folder])
    parts += _comparisons(report.comparisons)
    parts += _by_group(report.fairness)
    parts += _sigmas(report.rows)
    if report.skipped:
        parts += [
            "## Skipped",
            "\n".join(f"- {skip.name}: {skip.reason}" for skip in report.skipped),
        ]
    return "\n\n".join(parts) + "\n"


def _folder(rows: Sequence[Row]) -> list[str]:
    """Metrics that no system has here get no column."""
    metrics = [
        m
        for m in METRICS
        if any(math.isfinite(row.summary.figures[m.key].value) for row in rows)
    ]
    head = [
        "system",
        *(m.title for m in metrics),
        "answered by",
        "CPU ms",
        "wall ms (p95)",
    ]
    body = [
        [
            row.system,
            *(cell(row.summary.figures[m.key], m.digits) for m in metrics),
            _stages(row.answered_by),
            f"{row.summary.cpu_ms:.0f}",
            f"{row.summary.wall_ms:.0f} ({row.summary.wall_p95_ms:.0f})",
        ]
        for row in rows
    ]
    count = rows[0].summary
    return [
        f"## {rows[0].folder}: {count.frames} frames, {count.people} people, {count.people_3d} with 3D",
        table(head, body),
    ]


def cell(figure: Figure, digits: int) -> str:
    """A figure and its interval."""
    if math.isnan(figure.value):
        return "-"
    return (
        f"{figure.value:.{digits}f} [{figure.low:.{digits}f}, {figure.high:.{digits}f}]"
    )


def signed(figure: Figure, digits: int) -> str:
    """A difference and its interval."""
    if math.isnan(figure.value):
        return "-"
    return f"{figure.value:+.{digits}f} [{figure.low:+.{digits}f}, {figure.high:+.{digits}f}]"


def _stages(answered_by: Mapping[Stage, int]) -> str:
    total = sum(answered_by.values())
    shares = [
        f"{stage.value} {100 * count / total:.0f} %"
        for stage, count in answered_by.items()
        if count
    ]
    return ", ".join(shares) or "-"


def comparisons_table(by_folder: Mapping[str, Sequence[Comparison]]) -> str:
    """A line for each comparison of anybody; empty where there is none."""
    head = [
        "data",
        "people",
        "before -> after",
        *(measure.title for measure in MEASURES),
    ]
    body = [
        [
            folder,
            f"{one.who} ({one.people})",
            f"{one.before} -> {one.after}",
            *(_change(one.changes.get(measure.key)) for measure in MEASURES),
        ]
        for folder, comparisons in by_folder.items()
        for one in comparisons
        if one.people
    ]
    return table(head, body) if body else ""


def _comparisons(by_folder: Mapping[str, Sequence[Comparison]]) -> list[str]:
    text = (
        "The same people before and after, with the 95 % interval of the paired difference; a negative change of "
        "an error is a gain. The hardest third of a folder's people is the most hidden, overlapped, cut and small "
        "by the labels, whatever any system makes of them."
    )
    lines = comparisons_table(by_folder)
    return ["## What a deeper look changes", text, lines] if lines else []


def _change(change: Change | None) -> str:
    if change is None:
        return "-"
    gap = change.difference
    return f"{change.before:.1f} -> {change.after:.1f} ({signed(gap, 1)})"


def _by_group(by_folder: Mapping[str, Fairness]) -> list[str]:
    """A table of the groups, and one of the gaps between the worst and the best group of each kind."""
    if not by_folder:
        return []
    head = [
        "data",
        "system",
        "by",
        "group",
        "people (bodies)",
        *(metric.title for metric in MEASURED),
    ]
    body = [
        [
            folder,
            row.system,
            row.kind,
            row.group,
            f"{row.people} ({row.bodies})",
            *(cell(row.figures[metric.key], metric.digits) for metric in MEASURED),
        ]
        for folder, one in by_folder.items()
        for row in one.rows
    ]
    text = (
        f"Gaps between the worst and the best group of each kind, worst minus best, among groups of {LEAST_PEOPLE} "
        "people or more; then the same among people alike in size and visibility. Intervals are the wider of two, "
        "which resample frames and bodies. The pair is the one that differs most on these very frames, and there "
        "are many gaps in this table: some will look sure by chance."
    )
    gaps = {
        (folder, gap.system, gap.kind, gap.key): gap
        for folder, one in by_folder.items()
        for gap in one.gaps
    }
    lines = [
        [*line, *(_gap(gaps.get((*line, metric.key))) for metric in MEASURED)]
        for line in dict.fromkeys(key[:3] for key in gaps)
    ]
    gap_head = ["data", "system", "by", *(metric.title for metric in MEASURED)]
    return ["## By group of people", table(head, body), text, table(gap_head, lines)]


def _gap(gap: Gap | None) -> str:
    if gap is None:
        return "-"
    reported = [signed(figure, 1) for figure in (gap.everybody, gap.alike)]
    return f"{gap.worst} - {gap.best}: {reported[0]}; alike {reported[1]}"


def _sigmas(rows: Iterable[Row]) -> list[str]:
    reported = [(row, row.sigma) for row in rows if row.sigma is not None]
    calibrated = f"within 1 sigma ({100 * LAPLACE_COVERAGE:.0f} % when calibrated)"
    head = [
        "data",
        "system",
        "joints",
        calibrated,
        "RMS error / RMS sigma",
        "AUSE (no knowledge)",
        "AUSE of people",
    ]
    body = [
        [
            row.folder,
            row.system,
            str(s.everybody.joints),
            f"{100 * s.everybody.coverage:.0f} %",
            f"{s.everybody.ratio:.2f}",
            f"{s.ause:.3f} ({s.ause_of_no_knowledge:.3f})",
            f"{s.ause_of_people:.3f}",
        ]
        for row, s in reported
    ]
    parts = [
        [row.folder, row.system, *(_reliability(s.parts.get(part)) for part in PARTS)]
        for row, s in reported
    ]
    text = (
        f"By size (small: below the folder's median box height) and by joint; each cell is the share {calibrated}, "
        "RMS error / RMS sigma, and (joints)."
    )
    return (
        [
            "## Stated uncertainty",
            table(head, body),
            text,
            table(["data", "system", *PARTS], parts),
        ]
        if reported
        else []
    )


def _reliability(part: Reliability | None) -> str:
    return (
        "-"
        if part is None
        else f"{100 * part.coverage:.0f} %, {part.ratio:.2f} ({part.joints})"
    )


def table(head: Sequence[str], body: Iterable[Sequence[str]]) -> str:
    """A markdown table."""
    lines = [head, ["---"] * len(head), *body]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
