import json
from pathlib import Path

import pytest

from posecascade.models.lab.datasets.errors import LabelsError
from posecascade.models.lab.scoring.films import USUAL, read_film, read_views, rendered
from tests.models.lab.evaluation.streams.footage import FPS, bodies_mm, film


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


def seen_by_two_cameras(folder: Path) -> Path:
    def share(images) -> None:
        for number, image in enumerate(images):
            del image["time_s"]
            image |= {"camera": f"cam{number % 2}", "frame": 5 * (number // 2)}

    film(folder, bodies_mm(2, 8))
    return edited(folder, share)


def test_each_camera_of_a_folder_is_a_film(tmp_path: Path) -> None:
    films = read_views(seen_by_two_cameras(tmp_path / "lab"), rate=60)

    assert [one.name for one in films] == ["lab, cam0", "lab, cam1"]
    assert [[frame.path.name for frame in one.frames] for one in films] == [
        ["0.png", "2.png", "4.png", "6.png"],
        ["1.png", "3.png", "5.png", "7.png"],
    ]
    assert [one.fps for one in films] == [pytest.approx(12.0)] * 2


def test_a_picture_of_no_camera_is_refused_by_name(folder: Path) -> None:
    with pytest.raises(LabelsError, match=r"0.png has none; leave `--frame-rate` out"):
        read_views(folder, rate=25)
