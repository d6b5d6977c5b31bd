from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from posecascade.models.lab.datasets.labelled import LabelledPerson
from posecascade.models.lab.evaluation.fairness import (
    CELLS,
    LEAST_PEOPLE,
    Fairness,
    Gap,
    alike,
    cell,
    drawn_weights,
    fairness,
)
from posecascade.models.lab.scoring.figures import draws_of, summarise
from posecascade.models.lab.scoring.matching import LIMBS
from posecascade.models.lab.scoring.run import Run
from posecascade.models.lab.scoring.scoring import FrameScore, PersonScore
from posecascade.models.skeleton import JOINTS

NEAR_PX = 300.0
FAR_PX = 50.0


def labelled(
    height_px: float = NEAR_PX,
    *,
    hidden: int = 0,
    body: int | None = None,
    **groups: str,
) -> LabelledPerson:
    seen = np.full(JOINTS, 2.0)
    seen[LIMBS[:hidden]] = 1
    return LabelledPerson(
        np.zeros((JOINTS, 2)),
        seen,
        np.full((JOINTS, 3), 2000.0),
        np.array([0, 0, 40, height_px]),
        groups=groups,
        body=body,
    )


def score(truth: LabelledPerson, error_mm: float = 50.0) -> PersonScore:
    """Off by `error_mm` at every limb joint, in 2D by as many thousandths of their size; infinite: missed."""
    errors = np.full(len(LIMBS), error_mm)
    found = np.isfinite(error_mm)
    return PersonScore(
        truth,
        errors / 1000,
        errors,
        errors / 2,
        np.empty(0),
        np.nan,
        0 if found else -1,
    )


def frame(*people: PersonScore) -> FrameScore:
    return FrameScore(people, 0, None)


def run(*frames: FrameScore) -> Run:
    return Run("system", tuple(() for _ in frames), frames)


def judged(frames: Sequence[FrameScore], rounds: int = 30) -> Fairness:
    told = fairness(
        [run(*frames)],
        draws_of(len(frames), rounds, np.random.default_rng(0)),
        np.random.default_rng(0),
    )
    assert told is not None
    return told


def gap_of(told: Fairness, key: str) -> Gap:
    [gap] = [gap for gap in told.gaps if gap.key == key]
    return gap


def test_a_group_has_the_figures_of_its_people_alone() -> None:
    dark = labelled(skin="dark", body=1)
    light = labelled(skin="light", body=2)
    told = judged(
        [
            frame(score(dark, np.inf), score(light, 90.0)),
            frame(score(dark, 200.0)),
            frame(score(dark, 60.0)),
        ]
    )

    [of_dark, of_light] = told.rows
    assert (of_dark.group, of_dark.people, of_dark.bodies) == ("dark", 3, 1)
    assert (of_light.group, of_light.people, of_light.bodies) == ("light", 1, 1)
    assert of_dark.figures["found"].value == pytest.approx(200 / 3)
    assert of_dark.figures["pck3d"].value == pytest.approx(100 / 3)
    assert of_dark.figures["mpjpe"].value == pytest.approx(130)
    assert of_light.figures["pa_mpjpe"].value == pytest.approx(45)
    assert of_light.figures["pck2d"].value == 100


def test_where_all_are_of_one_group_its_row_is_that_of_everybody() -> None:
    rng = np.random.default_rng(1)
    frames = [
        frame(
            *(
                score(labelled(sex="female"), rng.choice([20.0, 90, 160, np.inf]))
                for _ in range(3)
            )
        )
        for _ in range(9)
    ]
    draws = draws_of(9, 40, rng)

    told = fairness([run(*frames)], draws, rng)
    figures = summarise(frames, draws, says_3d=True).figures

    assert told is not None
    assert told.gaps == ()
    [row] = told.rows
    for key, figure in row.figures.items():
        expected = figures[key]
        assert (figure.value, figure.low, figure.high) == pytest.approx(
            (expected.value, expected.low, expected.high)
        )


def test_a_gap_is_between_the_worst_and_the_best_group_for_shares_and_for_errors() -> (
    None
):
    groups = {"dark": 160.0, "medium": 100.0, "light": 40.0}
    frames = [
        frame(*(score(labelled(skin=skin), error) for skin, error in groups.items()))
    ] * LEAST_PEOPLE

    told = judged(frames)
    pck = gap_of(told, "pck3d")
    mpjpe = gap_of(told, "mpjpe")

    assert (mpjpe.worst, mpjpe.best) == ("dark", "light")
    assert (
        mpjpe.everybody.value,
        mpjpe.everybody.low,
        mpjpe.everybody.high,
    ) == pytest.approx((120, 120, 120))
    assert (pck.worst, pck.everybody.value) == ("dark", -100)


def test_groups_of_few_people_are_told_and_take_no_part_in_gaps() -> None:
    many = [
        frame(score(labelled(age="adult"), 50.0), score(labelled(age="old"), 60.0))
    ] * LEAST_PEOPLE
    few = [frame(score(labelled(age="child"), 500.0))] * (LEAST_PEOPLE - 1)

    told = judged([*many, *few])

    assert {row.group for row in told.rows} == {"adult", "old", "child"}
    assert gap_of(told, "mpjpe").worst == "old"


def test_a_gap_that_comes_of_size_alone_is_none_among_people_alike() -> None:
    """Children are far away more often; near or far they are served as adults are."""
    near = 40.0
    far = 120.0
    counts = {
        ("child", NEAR_PX): 5,
        ("child", FAR_PX): 25,
        ("adult", NEAR_PX): 25,
        ("adult", FAR_PX): 5,
    }
    frames = [
        frame(score(labelled(size, age=age), near if size == NEAR_PX else far))
        for (age, size), count in counts.items()
        for _ in range(count)
    ]

    gap = gap_of(judged(frames), "mpjpe")

    assert (gap.worst, gap.best) == ("child", "adult")
    assert gap.everybody.value == pytest.approx(
        (5 * near + 25 * far - 25 * near - 5 * far) / 30
    )
    assert gap.alike.value == pytest.approx(0)


def test_differences_within_cells_weigh_as_mantel_and_haenszel_say() -> None:
    one = np.zeros((1, CELLS, 2))
    other = np.zeros((1, CELLS, 2))
    one[0, 0], other[0, 0] = (30, 3), (6, 6)  # 10 - 1 = 9, weight 3 * 6 / 9 = 2
    one[0, 1], other[0, 1] = (8, 4), (8, 4)  # 0, weight 2
    one[0, 2] = 50, 5  # nobody to compare with

    assert alike(one, other) == pytest.approx([4.5])
    assert np.isnan(alike(one, np.zeros_like(one))).all()


def test_people_weigh_as_often_as_their_frame_is_drawn_and_again_as_their_body_is() -> (
    None
):
    frames = [
        frame(score(labelled(body=4)), score(labelled(body=9))),
        frame(),
        frame(score(labelled(body=4))),
    ]

    by_frame, by_body = drawn_weights(
        frames, np.array([[0, 0, 2]] * 50), np.random.default_rng(2)
    )

    assert by_frame[0].tolist() == by_body[0].tolist() == [1, 1, 1]
    assert by_frame[1:].tolist() == [[2, 2, 1]] * 50
    assert set(map(tuple, by_body[1:].tolist())) == {
        (2, 0, 2),
        (1, 1, 1),
        (0, 2, 0),
    }  # two draws of two bodies


def test_without_bodies_frames_alone_are_resampled() -> None:
    frames = [frame(score(labelled())), frame(score(labelled()), score(labelled()))]

    [by_frame] = drawn_weights(
        frames, np.array([[1, 1], [0, 1]]), np.random.default_rng(0)
    )

    assert by_frame.tolist() == [[1, 1, 1], [0, 2, 2], [1, 1, 1]]


def test_a_group_of_which_one_body_is_bad_has_a_wide_interval_however_many_frames() -> (
    None
):
    of_bad = [frame(score(labelled(age="child", body=0), 500.0))] * 50
    of_good = [frame(score(labelled(age="child", body=1), 50.0))] * 50

    [row] = judged([*of_bad, *of_good], rounds=200).rows

    figure = row.figures["mpjpe"]
    assert (figure.low, figure.value, figure.high) == pytest.approx((50, 275, 500))


def test_people_of_like_height_and_visibility_share_a_cell() -> None:
    assert cell(labelled(NEAR_PX)) == cell(labelled(400.0)) == CELLS - 1
    assert (
        cell(labelled(NEAR_PX, hidden=1))
        == cell(labelled(NEAR_PX, hidden=3))
        != cell(labelled(NEAR_PX, hidden=4))
    )
    assert cell(labelled(63.0, hidden=12)) == 0
    assert cell(labelled(64.0)) != cell(labelled(63.0))


def test_without_groups_there_is_nothing_to_tell() -> None:
    assert (
        fairness(
            [run(frame(score(labelled())), frame())],
            np.zeros((2, 2), int),
            np.random.default_rng(0),
        )
        is None
    )


def test_who_is_of_no_group_of_a_kind_counts_in_none_of_it() -> None:
    told = judged(
        [
            frame(
                score(labelled(skin="dark")),
                score(replace(labelled(), groups={"hair": "bob"})),
            )
        ]
    )

    assert [(row.kind, row.group, row.people) for row in told.rows] == [
        ("skin", "dark", 1),
        ("hair", "bob", 1),
    ]
