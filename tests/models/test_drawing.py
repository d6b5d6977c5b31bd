"""Pictures are judged by what a viewer must be able to tell from them: who, by which stage, which way, how sure."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from posecascade.models.drawing import STAGE_BGR, draw, overlay, views
from posecascade.models.records import Stage
from tests.standing import frame_of, standing

PAGE = Path(__file__).parents[2] / "service" / "page"
GREY = np.full((480, 640, 3), 110, np.uint8)


def painted(image_bgr, colour) -> int:
    """Pixels that look like `colour`."""
    return int((np.abs(image_bgr.astype(int) - colour).max(axis=-1) < 24).sum())


@pytest.mark.parametrize("stage", list(Stage))
def test_the_colour_tells_the_stage_that_answered(stage):
    drawn = overlay(GREY, [standing(stage=stage)])

    counts = {other: painted(drawn, colour) for other, colour in STAGE_BGR.items()}
    assert max(counts, key=counts.get) is stage
    assert all(
        count < 0.05 * counts[stage]
        for other, count in counts.items()
        if other is not stage
    )


def test_a_skeleton_lies_on_its_joints():
    person = standing()
    changed = (overlay(GREY, [person]) != GREY).any(axis=-1)

    x, y = np.floor(person.pose.joints_px).astype(int).T
    assert changed[y, x].all()


def test_the_left_side_is_lighter_than_the_right():
    person = standing()
    brightness = overlay(GREY, [person]).sum(axis=-1, dtype=int)

    def knee(side: str) -> int:
        x, y = person.pose.joints_px[17 if side == "left" else 18].astype(int)
        return brightness[y, x]

    assert knee("left") > knee("right") + 60


def test_an_unsure_joint_is_drawn_fainter():
    sure, unsure = (
        overlay(GREY, [standing(joint_scores=np.full(25, score))])
        for score in (0.95, 0.1)
    )

    assert (
        np.abs(unsure.astype(int) - GREY).sum()
        < 0.7 * np.abs(sure.astype(int) - GREY).sum()
    )


def test_the_picture_that_was_given_stays_as_it_was():
    before = GREY.copy()
    draw(GREY, frame_of(standing()))

    assert (before == GREY).all()


def test_nearer_people_stand_left_when_seen_from_the_right():
    near = standing((0, 100, 3000), stage=Stage.COARSE)
    far = standing((0, 100, 6000), stage=Stage.EXPERT)
    side = views(frame_of(near, far), (400, 600))[300:580]

    def column(stage: Stage) -> float:
        return float(
            (np.abs(side.astype(int) - STAGE_BGR[stage]).max(axis=-1) < 24)
            .nonzero()[1]
            .mean()
        )

    assert column(Stage.COARSE) + 100 < column(Stage.EXPERT)


def test_heads_are_above_feet_in_both_views():
    person = standing(stage=Stage.REFINE)
    picture = views(frame_of(person), (400, 600))

    for half in (picture[:300], picture[300:580]):
        rows = (
            np.abs(half.astype(int) - STAGE_BGR[Stage.REFINE]).max(axis=-1) < 24
        ).nonzero()[0]
        assert rows.min() < 120
        assert rows.max() > 180


@pytest.mark.parametrize("people", [0, 1, 30])
def test_the_views_stand_beside_the_picture(people):
    frame = frame_of(
        *(
            standing((400 * (i % 6) - 1000, 0, 3000 + 700 * (i // 6)))
            for i in range(people)
        )
    )
    picture = draw(GREY, frame)

    assert picture.shape[0] == 480
    assert picture.shape[1] > 640
    assert (picture[:, 640:] != picture[0, -1]).any()


def test_a_small_picture_is_enlarged_so_that_the_views_can_be_read():
    assert draw(GREY[:120, :160], frame_of(standing())).shape[0] == 360


@pytest.mark.parametrize("px", [-1e9, 1e9, np.nan])
def test_a_joint_far_outside_the_frame_does_not_stop_the_drawing(px):
    person = standing()
    joints_px = person.pose.joints_px.copy()
    joints_px[13] = px
    away = replace(person, pose=replace(person.pose, joints_px=joints_px))
    assert overlay(GREY, [away]).shape == GREY.shape


@pytest.mark.parametrize("stage", Stage)
def test_the_page_and_the_drawings_use_one_colour_for_a_stage(stage):
    blue, green, red = STAGE_BGR[stage]
    colour = f"#{red:02x}{green:02x}{blue:02x}"
    assert f'{stage}: "{colour}"' in (PAGE / "skeleton.js").read_text()
    assert f"--{stage}: {colour};" in (PAGE / "style.css").read_text()
