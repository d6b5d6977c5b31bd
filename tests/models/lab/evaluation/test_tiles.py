"""What tiles are said to find and to cost, on a wide frame whose people are known."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from posecascade.models.lab.datasets.labelled import read_folder
from posecascade.models.lab.evaluation.tiles import (
    ALL,
    INPUT,
    WHOLE,
    Tally,
    as_markdown,
    tallies,
)
from posecascade.models.skeleton import JOINT_NAMES
from tests.models.wide_shot import (
    CAMERA,
    FAINT,
    NEAR,
    UNSEEN,
    WIDE_WH_PX,
    Place,
    ShortSighted,
    picture,
    wide_cascade,
)
from tests.standing import standing

MARKED = "marked tiles"
CHANCE = "as many by chance"


def sums_of(folder: Path, places: list[Place]) -> dict[str, Tally]:
    """Of a folder with one frame in which they are all labelled."""
    people = []
    for x, z in places:
        px = standing((x, 0, z), camera=CAMERA).pose.joints_px
        joints = {name: [*px[i], 2] for i, name in enumerate(JOINT_NAMES)}
        people.append(
            {"joints2d": joints, "joints3d": {}, "box": [*px.min(0), *px.max(0)]}
        )
    cv2.imwrite(str(folder / "0.png"), picture())
    intrinsics = [[CAMERA.fx, 0, CAMERA.cx], [0, CAMERA.fy, CAMERA.cy], [0, 0, 1]]
    (folder / "labels.json").write_text(
        json.dumps(
            {
                "images": [
                    {
                        "file": "0.png",
                        "width": WIDE_WH_PX[0],
                        "height": WIDE_WH_PX[1],
                        "K": intrinsics,
                        "people": people,
                    }
                ]
            }
        )
    )
    return tallies(wide_cascade(ShortSighted(places)), read_folder(folder))


@pytest.fixture
def sums(tmp_path: Path) -> dict[str, Tally]:
    return sums_of(tmp_path, [NEAR, FAINT, UNSEEN])


def test_marked_tiles_find_whom_all_find_at_a_fraction_of_the_runs(
    sums: dict[str, Tally],
) -> None:
    assert [sums[name].found for name in (WHOLE, MARKED, ALL)] == [1, 3, 3]
    assert [sums[name].runs for name in (WHOLE, MARKED, ALL, INPUT)] == [1, 2, 10, 4]


def test_a_larger_input_shows_as_much_as_tiles(sums: dict[str, Tally]) -> None:
    assert sums[INPUT].found == 3


def test_chance_looks_at_as_many_tiles_and_finds_fewer(sums: dict[str, Tally]) -> None:
    marked = sums[MARKED]
    chance = sums[CHANCE]

    assert chance.runs / chance.frames == marked.runs / marked.frames
    assert 1 <= chance.found / chance.frames < marked.found / marked.frames


def test_nobody_is_false_and_nobody_twice(sums: dict[str, Tally]) -> None:
    assert {tally.false for tally in sums.values()} == {0}
    assert sums[ALL].people == 3


def test_a_table_is_per_frame(sums: dict[str, Tally]) -> None:
    lines = as_markdown("street", sums, 30.0).splitlines()

    assert lines[0] == "`street`"
    assert "| marked tiles | 3.00 | 3.00 | 0.00 | 2.00 | 60 |" in lines
    assert np.char.count(lines[2:], "|").tolist() == [7] * (len(sums) + 2)
