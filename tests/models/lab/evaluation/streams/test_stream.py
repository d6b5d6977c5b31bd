"""`posecascade eval stream` over scripted stages whose noise is known, with the service's own tracks and filters."""

import json
from pathlib import Path

import numpy as np
import pytest

from posecascade.models.cascade.cascade import Cascade
from posecascade.models.lab.evaluation.command import main
from posecascade.models.lab.evaluation.streams.measures import (
    MEASURES,
    in_common,
    share,
)
from posecascade.models.lab.evaluation.streams.paths import (
    Paths,
    said_paths,
    true_paths,
)
from posecascade.models.lab.evaluation.streams.run import FilmRun, names, run_film
from posecascade.models.lab.evaluation.streams.tables import (
    StreamRow,
    as_markdown,
    reached,
    stream_report,
)
from posecascade.models.lab.scoring.figures import Figure
from posecascade.models.lab.scoring.films import Film, read_film
from posecascade.models.options import Quality
from tests.models.lab.evaluation.stages import cascade_of
from tests.models.lab.evaluation.streams.footage import FPS, bodies_mm, film, reported
from tests.models.lab.evaluation.streams.test_paths import exact

BODIES = bodies_mm(2, 50)
NOISE_MM = 12.0
RAW, SMOOTHED = names(Quality.FAST)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    film(tmp_path / "film", BODIES)
    return tmp_path / "film"


def cascade(*_: object, **__: object) -> Cascade:
    return cascade_of(reported(BODIES, NOISE_MM))


@pytest.fixture
def rows(folder: Path) -> dict[str, StreamRow]:
    run = run_film(read_film(folder), cascade(), [Quality.FAST], ())
    report = stream_report([run], [(RAW, SMOOTHED)], {}, (), np.array([[0, 1], [1, 1]]))
    return {row.system: row for row in report.rows}


def test_unsmoothed_jitter_is_the_noise_of_the_stage_and_smoothing_takes_it_away(
    rows: dict[str, StreamRow],
) -> None:
    # The mid-hip's own noise (half a joint's variance) is in every joint relative to it; a hip shares in it and has
    # half of a joint's. Six limb joints and the two hips keep still.
    expected = NOISE_MM * (6 * (3 * 1.5) ** 0.5 + 2 * (3 * 0.5) ** 0.5) / 8
    assert rows[RAW].figures["jitter"].value == pytest.approx(expected, rel=0.05)
    assert (
        rows[SMOOTHED].figures["jitter"].value < 0.7 * rows[RAW].figures["jitter"].value
    )
    assert (
        rows[SMOOTHED].figures["acceleration"].value
        < 0.5 * rows[RAW].figures["acceleration"].value
    )


def test_only_smoothing_makes_late(rows: dict[str, StreamRow]) -> None:
    assert rows[RAW].figures["lag"].value == pytest.approx(0, abs=5)
    assert 5 < rows[SMOOTHED].figures["lag"].value < 150
    added = rows[SMOOTHED].added_lag_ms
    assert added is not None
    assert added.value == pytest.approx(
        rows[SMOOTHED].figures["lag"].value - rows[RAW].figures["lag"].value
    )
    assert rows[RAW].added_lag_ms is None


def test_both_rows_have_the_ids_of_the_stream(rows: dict[str, StreamRow]) -> None:
    assert [
        (row.found_percent, row.gaps, row.id_switches) for row in rows.values()
    ] == [(100, 0, 0)] * 2


def test_figures_are_of_what_every_system_found(folder: Path) -> None:
    footage = read_film(folder)
    one = said_paths(footage, [[exact(frame[0])] for frame in BODIES])
    late = said_paths(
        footage,
        [
            [exact(body) for body in frame] if time > 9 else []
            for time, frame in enumerate(BODIES)
        ],
    )

    common = in_common([one, late, true_paths(footage)])

    for paths in common:
        assert np.isfinite(paths.joints_mm[0, 10:]).all()
        assert np.isnan(paths.joints_mm[0, :10]).all()
        assert np.isnan(paths.joints_mm[1]).all()


def test_a_share_is_paired_over_the_same_people() -> None:
    mean = next(measure for measure in MEASURES if measure.key == "mpjpe")
    theirs = np.array([[40.0, 2], [10.0, 2]])

    assert share(
        mean, theirs / [2, 1], theirs, FPS, np.array([[0, 0], [1, 1], [0, 1]])
    ) == Figure(0.5, 0.5, 0.5)


def noisy(footage: Film, noise_mm: float) -> Paths:
    rng = np.random.default_rng(8)
    return said_paths(
        footage,
        [
            [exact(body + rng.normal(0, noise_mm, body.shape)) for body in frame]
            for frame in BODIES
        ],
    )


def test_ours_are_told_against_the_steadiest_peer(folder: Path) -> None:
    footage = read_film(folder)
    predicted = {
        RAW: noisy(footage, 10),
        SMOOTHED: noisy(footage, 3),
        "loud": noisy(footage, 15),
        "calm": noisy(footage, 6),
    }
    run = FilmRun(footage, true_paths(footage), predicted)

    report = stream_report([run], [(RAW, SMOOTHED)], {}, (), np.array([[0, 1], [1, 1]]))

    assert report.best_peer == {"jitter": "calm", "acceleration": "calm"}
    raw, smoothed, *peers = report.rows
    assert smoothed.against_peer["jitter"].value == pytest.approx(0.5, rel=1e-6)
    assert raw.against_peer["acceleration"].value == pytest.approx(10 / 6, rel=1e-6)
    assert [(row.against_peer, row.added_lag_ms) for row in peers] == [({}, None)] * 2
    last = as_markdown(report).strip().splitlines()[-1]
    assert last.startswith(f"| {SMOOTHED} | 0.50 [0.50, 0.50] | 0.50 [0.50, 0.50] |")


@pytest.mark.parametrize(
    ("jitter", "acceleration", "lag", "added", "enough"),
    [
        (0.5, 0.4, 39, 39, True),
        (0.6, 0.4, 39, 39, False),
        (0.5, 0.6, 39, 39, False),
        (0.5, 0.4, 41, 39, False),
        (0.5, 0.4, 20, 41, False),
        (np.nan, 0.4, 39, 39, False),
    ],
)
def test_reach_is_half_of_the_best_peer_and_forty_milliseconds(
    jitter: float, acceleration: float, lag: float, added: float, enough: bool
) -> None:
    figures = {"lag": Figure(lag, lag, lag)}
    shares = {
        "jitter": Figure(jitter, 0, 1),
        "acceleration": Figure(acceleration, 0, 1),
    }

    assert (
        reached(StreamRow("ours", 100, 0, 0, figures, shares, Figure(added, 0, 99)))
        is enough
    )


def call(*argv: object, **handed: object) -> int:
    return main(["stream", *(str(arg) for arg in argv)], load=cascade, **handed)


def test_the_command_prints_the_table_and_writes_it_down(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status = call(
        "--data",
        folder,
        "--peers",
        tmp_path / "none",
        "--peer",
        "thunder",
        "--out",
        tmp_path / "out",
        "--rounds",
        5,
        "--quality",
        "fast",
    )

    printed = capsys.readouterr()
    assert status == 0
    assert "## 1 films, 2 people, 4 s of them" in printed.out
    assert f"| {SMOOTHED} | 100.0 | 0 | 0 |" in printed.out
    assert "skipped thunder: no peers.py" in printed.err
    assert "Against the best peer" not in printed.out
    written = json.loads((tmp_path / "out" / "stream.json").read_text())
    assert [row["system"] for row in written["rows"]] == [RAW, SMOOTHED]
    assert (tmp_path / "out" / "stream.md").read_text().strip() == printed.out.strip()


def test_films_of_two_rates_cannot_be_told_together(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    film(tmp_path / "slow", bodies_mm(1, 4), fps=10)

    assert call("--data", folder, tmp_path / "slow") == 2
    assert "one frame rate, got 10, 25 fps" in capsys.readouterr().err


def test_films_of_nobody_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    film(tmp_path / "empty", np.zeros((4, 0, 25, 3)))

    assert call("--data", tmp_path / "empty") == 2
    assert "somebody in them" in capsys.readouterr().err
