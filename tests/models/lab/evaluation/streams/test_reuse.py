"""`posecascade eval stream --reuse` over scripted stages: what is counted, and against what."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from posecascade.models.cascade.cascade import Cascade
from posecascade.models.lab.datasets.errors import LabelsError
from posecascade.models.lab.evaluation.command import main
from posecascade.models.lab.evaluation.streams.reuse import (
    IDEAS,
    NO_REUSE,
    TOGETHER,
    Run,
    away_mm,
    run_reuse,
    streamed,
)
from posecascade.models.lab.evaluation.streams.reuse_table import reuse_report, shown
from posecascade.models.lab.scoring.cached_runner import CachedRunner
from posecascade.models.lab.scoring.films import read_film
from posecascade.models.lab.scoring.shots import shots_of
from posecascade.models.options import Quality
from posecascade.models.records import Stage
from tests.models.lab.evaluation.stages import Scripted, cascade_of
from tests.models.lab.evaluation.streams.footage import bodies_mm, film, reported

BODIES = bodies_mm(2, 24)
NOISE_MM = 6.0


def cascade(*_: object, **__: object) -> Cascade:
    return cascade_of(reported(BODIES, NOISE_MM))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    film(tmp_path / "film", BODIES)
    return tmp_path / "film"


@pytest.fixture
def runs(folder: Path) -> dict[str, Run]:
    return run_reuse(cascade(), [shown(read_film(folder))], Quality.BEST, None)


def test_every_idea_is_run_beside_alternation_and_a_coin(runs: dict[str, Run]) -> None:
    assert list(runs)[: 1 + len(IDEAS)] == [NO_REUSE, *IDEAS]
    assert [name.split()[0] for name in list(runs)[1 + len(IDEAS) :]] == [
        "every",
        "every",
        "coin",
        "coin",
    ]


def test_frames_by_themselves_are_on_the_terms_of_a_stream(folder: Path) -> None:
    hard = cascade_of(reported(BODIES, 60.0), price=2.0)
    stream = shown(read_film(folder))
    runs = run_reuse(hard, [stream], Quality.BALANCED, None)
    pictures = streamed(hard, [stream], {NO_REUSE: None}, Quality.BALANCED, None)[
        NO_REUSE
    ]

    assert runs["every frame, weighed"].looks == runs[NO_REUSE].looks
    assert runs[NO_REUSE].person_ms > pictures.person_ms


def test_looks_are_counted_whether_they_were_computed_before_or_not(
    runs: dict[str, Run],
) -> None:
    assert runs[NO_REUSE].looks == {Stage.REFINE: 48, Stage.EXPERT: 48}
    assert runs["carried, every 4th"].looks == {Stage.REFINE: 12, Stage.EXPERT: 12}
    assert sum(runs[TOGETHER].looks.values()) < 0.5 * 96


def test_every_frame_is_looked_at_where_looks_are_only_weighed(
    runs: dict[str, Run],
) -> None:
    weighed = runs["every frame, weighed"]

    assert weighed.looks == runs[NO_REUSE].looks
    assert 0 < away_mm(weighed, runs[NO_REUSE]).mean() < 20


def test_a_run_is_not_away_from_itself_and_reuse_is_a_little(
    runs: dict[str, Run],
) -> None:
    assert away_mm(runs[NO_REUSE], runs[NO_REUSE]).tolist() == [0.0] * 48
    assert 0 < away_mm(runs["carried, every 4th"], runs[NO_REUSE]).mean() < 60


def test_the_error_is_told_beyond_that_without_reuse(
    folder: Path, runs: dict[str, Run]
) -> None:
    report = reuse_report(
        "films", runs, [read_film(folder)], np.array([[0, 1], [1, 1]])
    )
    rows = {row.system: row for row in report.rows}

    assert rows[NO_REUSE].removed_percent == 0
    assert rows["carried, every 4th"].removed_percent == 75
    for row in report.rows:
        assert row.figures is not None
        assert row.extra_mm is not None
        base = rows[NO_REUSE].figures
        assert base is not None
        assert row.extra_mm.value == pytest.approx(
            row.figures["mpjpe"].value - base["mpjpe"].value
        )
        assert row.extra_after_cut_mm is not None
        assert np.isnan(row.extra_after_cut_mm.value)  # a single film has no cut


def test_a_stage_answers_each_item_once(folder: Path) -> None:
    stage = Scripted(Stage.COARSE, reported(BODIES, NOISE_MM))
    once = CachedRunner(stage)
    batch = {
        "image_bgr": np.zeros((1, 48, 64, 3), np.uint8),
        "intrinsics": np.full((1, 4), 500, np.float32),
    }
    first = once.run(batch)
    again = once.run(batch)

    assert stage.items == [1]
    for name, values in first.items():
        np.testing.assert_array_equal(values, again[name])


def test_a_video_without_truth_is_a_stream_too(tmp_path: Path) -> None:
    path = tmp_path / "clip.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10.0, (64, 48))
    for _ in range(5):
        writer.write(np.zeros((48, 64, 3), np.uint8))
    writer.release()

    assert [round(shot.time_s, 3) for shot in shots_of(path)] == [0, 0.1, 0.2, 0.3, 0.4]
    with pytest.raises(LabelsError, match="no frame"):
        list(shots_of(tmp_path / "absent.mp4"))


def test_the_command_writes_the_table(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    done = main(
        [
            "stream",
            "--reuse",
            "--data",
            str(folder),
            "--clips",
            str(folder),
            "--quality",
            "best",
            "--rounds",
            "10",
            "--out",
            str(out),
        ],
        load=cascade,
    )

    assert done == 0
    written = (out / "reuse.md").read_text()
    assert capsys.readouterr().out.startswith(written)
    assert all(name in written for name in (NO_REUSE, *IDEAS))
    report = json.loads((out / "reuse.json").read_text())
    assert [len(one["rows"]) for one in report["reports"]] == [1 + len(IDEAS) + 4] * 2
