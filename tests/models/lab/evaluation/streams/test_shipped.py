"""`posecascade eval stream --default` over scripted stages, whose errors are known."""

import json
from pathlib import Path

import numpy as np
import pytest

from posecascade.models.cascade.cascade import Cascade
from posecascade.models.lab.evaluation.command import main
from posecascade.models.lab.evaluation.streams.shipped import (
    ALONE,
    BEST,
    COARSE,
    DEEPEST,
    FAST,
    REFINE,
    SAVING,
    SHIPPED,
    Row,
    _hard,
    rows_of,
    run_default,
)
from posecascade.models.lab.scoring.films import read_film
from posecascade.models.records import Stage
from tests.models.lab.evaluation.stages import cascade_of
from tests.models.lab.evaluation.streams.footage import bodies_mm, film, reported

BODIES = bodies_mm(3, 24)


def cascade(*_: object, **__: object) -> Cascade:
    return cascade_of(reported(BODIES, 6.0))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    film(tmp_path / "film", BODIES)
    return tmp_path / "film"


@pytest.fixture
def rows(folder: Path) -> dict[tuple[str, str], Row]:
    footage = [read_film(folder)]
    runs = run_default(cascade(), footage)
    assert runs[REFINE].looks == {Stage.REFINE: 72, Stage.EXPERT: 0}
    assert runs[DEEPEST].looks == {Stage.REFINE: 72, Stage.EXPERT: 72}
    draws = np.array([[0, 1, 2], [2, 1, 1]])
    return {(row.who, row.system): row for row in rows_of(runs, footage, draws)}


def test_every_system_is_told_for_everybody_and_for_the_hardest(
    rows: dict[tuple[str, str], Row],
) -> None:
    systems = [COARSE, REFINE, DEEPEST, ALONE, FAST, SHIPPED, BEST, SAVING]
    assert list(rows) == [
        (who, system) for who in ("everybody", "hardest third") for system in systems
    ]


def test_deep_time_is_that_of_the_looks(rows: dict[tuple[str, str], Row]) -> None:
    cost_ms = {
        stage: cascade().manifest.stages[stage].cost_ms
        for stage in (Stage.REFINE, Stage.EXPERT)
    }
    assert rows["everybody", COARSE].deep_ms == rows["everybody", FAST].deep_ms == 0
    assert rows["everybody", DEEPEST].frame_ms == pytest.approx(
        3 * sum(cost_ms.values())
    )  # three people
    assert rows["everybody", REFINE].deep_ms == pytest.approx(cost_ms[Stage.REFINE])
    assert rows["everybody", DEEPEST].deep_ms == pytest.approx(sum(cost_ms.values()))


def test_differences_are_those_of_the_figures(rows: dict[tuple[str, str], Row]) -> None:
    for who in ("everybody", "hardest third"):
        base = rows[who, DEEPEST]
        assert [figure.value for figure in base.from_deepest] == [0, 0]
        for name in (COARSE, REFINE, SHIPPED):
            row = rows[who, name]
            assert row.from_deepest[0].value == pytest.approx(
                row.mpjpe.value - base.mpjpe.value
            )
            assert row.from_deepest[1].value == pytest.approx(
                row.pck3d.value - base.pck3d.value
            )


def test_the_hardest_third_is_that_of_all_films_together(tmp_path: Path) -> None:
    far = BODIES + [0, 0, 6000]  # farther off, so smaller in every frame
    for name, bodies in (("near", BODIES), ("far", far)):
        film(tmp_path / name, bodies)
    footage = [read_film(tmp_path / name) for name in ("near", "far")]
    near, away = _hard(footage)

    assert near.shape == away.shape == (3, 24)
    assert near.sum() + away.sum() == round(2 * 72 / 3)
    assert near.sum() < away.sum()


def test_a_rate_without_folders_is_refused_by_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert (
        main(
            ["stream", "--default", "--frame-rate", "60", "--out", str(tmp_path)],
            load=cascade,
        )
        == 2
    )
    assert "--frame-rate is of the folders in --data" in capsys.readouterr().err


def test_the_command_writes_the_table(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    requested = [
        "stream",
        "--default",
        "--data",
        str(folder),
        "--rounds",
        "5",
        "--out",
        str(out),
    ]

    assert main(requested, load=cascade) == 0
    assert len(json.loads((out / "default.json").read_text())["rows"]) == 16
    assert f"| hardest third | {SHIPPED} |" in (out / "default.md").read_text()
