from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from posecascade.models.arrays import Image
from posecascade.models.lab.datasets.labelled import LabelledFolder, read_folder
from posecascade.models.lab.evaluation.people_sheet import (
    CAPTION_PX,
    COLUMNS,
    ROOM,
    TILE_PX,
    Sighting,
    drawn_by_chance,
    people_sheet,
    save_people_sheets,
    sightings,
    tile,
    window_round,
    worst,
)
from posecascade.models.lab.scoring.matching import LIMBS
from posecascade.models.lab.scoring.run import run
from posecascade.models.lab.scoring.systems import stages_for_all
from tests.models.lab.evaluation.stages import cascade_of, scene

ORANGE_BGR = (40, 150, 255)
BLUE_BGR = (255, 160, 60)
WHITE_BGR = (255, 255, 255)
PEOPLE = [3, 0, 2, 4]


@pytest.fixture
def folder(tmp_path: Path) -> LabelledFolder:
    scene(tmp_path / "scene", PEOPLE)
    return read_folder(tmp_path / "scene")


@pytest.fixture
def by_stage(folder: LabelledFolder, tmp_path: Path) -> list[list[Sighting]]:
    runs = run(
        stages_for_all(cascade_of(scene(tmp_path / "told", PEOPLE))), folder.frames
    )
    return [sightings(folder, one) for one in runs]


def missed(person: Sighting) -> Sighting:
    gone = np.full(len(LIMBS), np.inf)
    return replace(
        person,
        guess=None,
        score=replace(person.score, errors_2d=gone, errors_mm=gone, guess=-1),
    )


def flat(person: Sighting, error: float) -> Sighting:
    """The same person with 2D truth alone, off by `error` of their size."""
    return replace(
        person,
        score=replace(
            person.score, errors_2d=np.full(len(LIMBS), error), errors_mm=np.empty(0)
        ),
    )


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def near(picture: Image, colour_bgr: tuple[int, int, int]) -> bool:
    return bool((np.abs(picture.astype(int) - colour_bgr).sum(-1) < 30).any())


def test_everybody_is_sighted_in_the_same_order_under_every_stage(
    by_stage: list[list[Sighting]],
) -> None:
    coarse, _, expert = by_stage

    assert len(coarse) == sum(PEOPLE)
    assert [one.score.truth for one in coarse] == [one.score.truth for one in expert]
    assert [one.error for one in expert] == pytest.approx(
        [one.error * 3 / 8 for one in coarse], rel=1e-4
    )


def test_the_worst_come_missed_first_and_then_by_error(
    by_stage: list[list[Sighting]],
) -> None:
    lost, *found = by_stage[0]

    first, *rest = worst([*found, missed(lost)], 5, rng())

    assert first.guess is None
    assert [one.error for one in rest] == sorted(
        (one.error for one in found), reverse=True
    )[:4]


def test_the_missed_fill_half_of_a_sheet_at_most_unless_too_few_are_found(
    by_stage: list[list[Sighting]],
) -> None:
    people = [*map(missed, by_stage[0][:6]), *by_stage[0][6:]]

    assert [one.guess is None for one in worst(people, 4, rng())] == [
        True,
        True,
        False,
        False,
    ]
    assert sum(one.guess is None for one in worst(people, 8, rng())) == 5
    assert len(worst(people, 99, rng())) == len(people)


def test_errors_in_mm_and_in_sizes_are_compared_by_the_median_of_their_kind(
    by_stage: list[list[Sighting]],
) -> None:
    deep = by_stage[0][:3]
    middle = sorted(one.error for one in deep)[1]
    shallow = [
        flat(one, error)
        for one, error in zip(by_stage[0][3:6], (0.01, 0.02, 2.0), strict=True)
    ]

    first, *_ = worst([*deep, *shallow], 6, rng())

    assert max(one.error for one in deep) < 100 * middle
    assert first.error == pytest.approx(2.0)  # 100 times the median


def test_chance_picks_the_same_people_for_every_stage(
    by_stage: list[list[Sighting]],
) -> None:
    first, second = (drawn_by_chance(people, 4, rng()) for people in by_stage[:2])

    assert [one.score.truth for one in first] == [one.score.truth for one in second]
    assert len({id(one.score.truth) for one in first}) == 4


def test_a_caption_tells_the_picture_the_error_and_what_was_expected(
    by_stage: list[list[Sighting]],
) -> None:
    person = by_stage[0][0]
    assert person.guess is not None
    assert person.guess.sigma_mm is not None
    reported = replace(
        person,
        guess=replace(person.guess, sigma_mm=np.full(25, 100.0)),
        score=replace(person.score, errors_mm=np.full(12, 123.4)),
    )

    assert reported.caption == ("scene/0.png", "123 mm, expected 87 mm")
    assert flat(reported, 0.25).caption == (
        "scene/0.png",
        "0.25 of size, expected 87 mm",
    )
    assert missed(reported).caption == ("scene/0.png", "missed")


def test_a_tile_shows_the_pose_in_colours_and_the_truth_in_white(
    by_stage: list[list[Sighting]],
) -> None:
    person = by_stage[0][0]
    picture = tile(person)[:TILE_PX]
    assert near(picture, WHITE_BGR)
    assert near(picture, ORANGE_BGR)
    assert near(picture, BLUE_BGR)

    alone = tile(missed(person))[:TILE_PX]
    assert near(alone, WHITE_BGR)
    assert not near(alone, ORANGE_BGR)


def test_a_tile_is_a_square_round_the_labelled_box(
    by_stage: list[list[Sighting]],
) -> None:
    person = by_stage[0][0]
    box = person.score.truth.box_xyxy_px

    low, high = window_round(person).to_crop(box.reshape(2, 2))

    assert (high - low).max() == pytest.approx(TILE_PX / ROOM)
    assert (low + high) / 2 == pytest.approx([TILE_PX / 2, TILE_PX / 2])


def test_a_sheet_has_a_full_grid_of_tiles(by_stage: list[list[Sighting]]) -> None:
    height, width, _ = people_sheet("coarse", by_stage[0][: COLUMNS + 1]).shape

    assert (height, width) == (
        CAPTION_PX + 2 * (TILE_PX + CAPTION_PX),
        COLUMNS * TILE_PX,
    )


def test_both_sheets_are_written_even_of_nobody(
    by_stage: list[list[Sighting]], tmp_path: Path
) -> None:
    save_people_sheets(tmp_path, "coarse", by_stage[0], 24)
    save_people_sheets(tmp_path, "expert", [], 24)

    sheets = {
        path.name: cv2.imread(str(path)).shape[0] for path in tmp_path.glob("*.jpg")
    }
    full = CAPTION_PX + 2 * (TILE_PX + CAPTION_PX)
    assert sheets == {
        "worst_coarse.jpg": full,
        "random_coarse.jpg": full,
        "worst_expert.jpg": CAPTION_PX,
        "random_expert.jpg": CAPTION_PX,
    }
