from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from posecascade.models.lab.datasets.labelled import read_folder
from posecascade.models.lab.evaluation.comparison import answered_by, compare
from posecascade.models.lab.evaluation.dev_table import (
    RANDOM,
    FolderResult,
    FolderRuns,
    pooled_comparisons,
    result_of,
    run_folder,
)
from posecascade.models.lab.scoring.figures import draws_of
from posecascade.models.lab.scoring.systems import (
    ASSUMED_FOV,
    COARSE,
    EXPERT,
    REFINE,
    ROUTED,
)
from posecascade.models.records import Stage
from tests.models.lab.evaluation.stages import cascade_of, scene

PEOPLE = [2, 0, 3, 1, 4, 2]
BOTH = (1 / 2 + 1 / 4) / 2
"""What refine and expert leave of coarse's error when they answer in the mean."""


@pytest.fixture
def found(tmp_path: Path) -> FolderRuns:
    cascade = cascade_of(scene(tmp_path, PEOPLE))
    return run_folder(read_folder(tmp_path), cascade, [], seeds=2)


@pytest.fixture
def result(found: FolderRuns) -> FolderResult:
    return result_of(found, found.in_3d, rounds=50)


def test_every_system_of_ours_has_a_row_and_chance_has_one_for_all_seeds(
    result: FolderResult,
) -> None:
    assert [row.system for row in result.rows] == [
        COARSE,
        REFINE,
        EXPERT,
        ROUTED,
        f"{RANDOM} (2 seeds)",
        ROUTED + ASSUMED_FOV,
    ]
    assert {row.summary.people for row in result.rows} == {sum(PEOPLE)}
    assert {row.summary.frames for row in result.rows} == {len(PEOPLE)}


def test_each_look_leaves_its_share_of_the_error(result: FolderResult) -> None:
    mpjpe = {row.system: row.summary.figures["mpjpe"].value for row in result.rows}

    assert mpjpe[REFINE] == pytest.approx(mpjpe[COARSE] / 2, rel=1e-4)
    assert mpjpe[EXPERT] == pytest.approx(mpjpe[COARSE] * BOTH, rel=1e-4)
    assert mpjpe[EXPERT] < mpjpe[ROUTED] < mpjpe[COARSE]


def test_who_is_not_told_the_camera_poses_alike_and_misplaces_the_root(
    result: FolderResult,
) -> None:
    figures = {row.system: row.summary.figures for row in result.rows}
    reported = figures[ROUTED]
    untold = figures[ROUTED + ASSUMED_FOV]

    assert untold["mpjpe"].value == pytest.approx(reported["mpjpe"].value)
    assert untold["root"].value > reported["root"].value
    assert untold["root_share"].value > reported["root_share"].value


def test_without_cameras_nobody_is_kept_from_them(tmp_path: Path) -> None:
    cascade = cascade_of(scene(tmp_path, [1, 2]))
    folder = read_folder(tmp_path)
    blind = replace(
        folder, frames=tuple(replace(frame, camera=None) for frame in folder.frames)
    )

    runs = run_folder(blind, cascade, [], seeds=0).runs

    assert [one.name for one in runs] == [COARSE, REFINE, EXPERT, ROUTED]


def test_intervals_enclose_their_figure(result: FolderResult) -> None:
    for row in result.rows:
        for figure in row.summary.figures.values():
            assert np.isnan(figure.value) or figure.low <= figure.value <= figure.high


def test_the_row_of_chance_is_the_mean_of_its_seeds(
    found: FolderRuns, result: FolderResult
) -> None:
    row = result.rows[4]
    seeds = [
        person.errors_mm.mean()
        for one in found.chance
        for score in one.scores
        for person in score.people
    ]

    assert row.summary.figures["mpjpe"].value == pytest.approx(np.mean(seeds))


def test_comparisons_are_over_the_same_people_and_say_what_each_look_removed(
    result: FolderResult,
) -> None:
    sent = next(one for one in result.comparisons if one.who == "sent to refine")
    refined = next(row for row in result.rows if row.system == ROUTED).answered_by[
        Stage.REFINE
    ]

    change = sent.changes["mpjpe"]
    assert sent.people == change.people == refined
    assert change.after == pytest.approx(change.before / 2, rel=1e-4)
    assert change.difference.value == pytest.approx(change.after - change.before)
    assert change.difference.high < 0


@pytest.mark.parametrize("who", ["everybody", "hardest third"])
def test_all_stages_are_compared_on_everybody_and_on_the_hardest_third(
    result: FolderResult, who: str
) -> None:
    gains = {
        (one.before, one.after): one
        for one in result.comparisons
        if one.who == who and one.after != ROUTED
    }

    assert list(gains) == [(COARSE, REFINE), (REFINE, EXPERT), (COARSE, EXPERT)]
    assert {one.people for one in gains.values()} == {12 if who == "everybody" else 4}
    whole = gains[COARSE, EXPERT].changes["mpjpe"]
    assert whole.after == pytest.approx(whole.before * BOTH, rel=1e-4)


def test_folders_are_pooled_person_by_person_with_the_hardest_of_each(
    found: FolderRuns,
) -> None:
    twice = {
        (one.who, one.before, one.after): one
        for one in pooled_comparisons([found, found], rounds=20)
    }
    once = {
        (one.who, one.before, one.after): one
        for one in pooled_comparisons([found], rounds=20)
    }

    assert list(twice) == list(once)
    for key, one in once.items():
        assert twice[key].people == 2 * one.people
        assert twice[key].changes["mpjpe"].after == pytest.approx(
            one.changes["mpjpe"].after
        )


def test_a_system_compared_with_itself_does_not_differ(found: FolderRuns) -> None:
    coarse, *_ = found.runs

    draws = draws_of(len(PEOPLE), 20, np.random.default_rng(0))
    same = compare("all", coarse, coarse, lambda frame, person: True, draws)

    assert all(
        change.difference.value == change.difference.low == change.difference.high == 0
        for change in same.changes.values()
    )


def test_nobody_sent_gives_no_figures(found: FolderRuns) -> None:
    coarse, refine, *_ = found.runs

    none = compare(
        "sent",
        coarse,
        refine,
        answered_by(coarse, Stage.EXPERT),
        draws_of(len(PEOPLE), 20, np.random.default_rng(0)),
    )

    assert (none.people, none.changes) == (0, {})
