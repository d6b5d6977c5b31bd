import json
from pathlib import Path

import pytest

from models.datasets.errors import LabelsError
from models.evaluation.streams.films import USUAL, read_film, rendered
from tests.models.evaluation.streams.footage import FPS, bodies_mm, film


def edited(folder: Path, change) -> Path:
    file = folder / "labels.json"
    labels = json.loads(file.read_text())
    change(labels["images"])
    file.write_text(json.dumps(labels))
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    film(tmp_path / "film", bodies_mm(2, 5))
    return tmp_path / "film"


def test_a_film_knows_its_rate_and_its_people(folder: Path) -> None:
    read = read_film(folder)

    assert (read.fps, read.ids, len(read.frames)) == (pytest.approx(FPS), (0, 1), 5)


def test_frames_without_a_time_are_no_film(folder: Path) -> None:
    edited(folder, lambda images: images[3].pop("time_s"))

    with pytest.raises(LabelsError, match="5 frames, 4 with a time; render one with"):
        read_film(folder)


def test_a_frame_left_out_makes_a_film_uneven(folder: Path) -> None:
    edited(folder, lambda images: images.pop(2))

    with pytest.raises(LabelsError, match=r"evenly spaced.*got 0.0400 to 0.0800 s"):
        read_film(folder)


def test_two_frames_have_no_acceleration(folder: Path) -> None:
    edited(folder, lambda images: images.__delitem__(slice(2, None)))

    with pytest.raises(LabelsError, match="3 frames or more"):
        read_film(folder)


def test_everyone_needs_an_id(tmp_path: Path) -> None:
    film(tmp_path / "film", bodies_mm(1, 4), ids=False)

    with pytest.raises(LabelsError, match="`id` for every person"):
        read_film(tmp_path / "film")


def test_films_that_are_there_are_not_rendered_again(tmp_path: Path) -> None:
    there = [USUAL.folder(tmp_path, seed) for seed in (2, 3)]
    for folder in there:
        film(folder, bodies_mm(1, 3))

    assert rendered(tmp_path, (2, 3), USUAL, assets=tmp_path / "none") == there
