import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from posecascade.models.lab.datasets.labelled import LabelsError, read_folder
from posecascade.models.skeleton import JOINT_NAMES

PERSON = {
    "joints2d": {
        "nose": [5, 6, 2],
        "left_hip": [7, 8, 1],
        "right_hip": [0, 0, 0],
        "head": [1, 1, 2],
    },
    "joints3d": {"nose": [1, 2, 3]},
    "box": [0, 0, 10, 20],
}
IMAGE = {
    "file": "a.png",
    "width": 16,
    "height": 12,
    "people": [PERSON],
    "K": [[9, 0, 8], [0, 9, 6], [0, 0, 1]],
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    cv2.imwrite(str(tmp_path / "a.png"), np.zeros((12, 16, 3), np.uint8))
    write(tmp_path, IMAGE)
    return tmp_path


def write(folder: Path, *images: dict[str, object]) -> None:
    (folder / "labels.json").write_text(json.dumps({"images": images}))


def test_a_joint_is_known_only_where_it_is_marked(folder: Path) -> None:
    [person] = read_folder(folder).frames[0].people

    known = {
        JOINT_NAMES[joint]
        for joint in np.flatnonzero(np.isfinite(person.joints_px[:, 0]))
    }
    assert known == {"nose", "left_hip"}
    assert person.seen[JOINT_NAMES.index("left_hip")] == 1
    assert person.joints_mm[JOINT_NAMES.index("nose")].tolist() == [1, 2, 3]


def test_groups_and_bodies_are_told_where_the_labels_know_them(folder: Path) -> None:
    write(
        folder,
        IMAGE | {"people": [PERSON, PERSON | {"groups": {"skin": "dark"}, "body": 7}]},
    )
    plain, reported = read_folder(folder).frames[0].people

    assert (plain.groups, plain.body) == ({}, None)
    assert (reported.groups, reported.body) == ({"skin": "dark"}, 7)


def test_intrinsics_and_picture_belong_together(folder: Path) -> None:
    [frame] = read_folder(folder).frames

    assert frame.camera is not None
    assert (frame.camera.fx, frame.camera.cx, frame.camera.cy) == (9, 8, 6)
    assert frame.image_bgr().shape == (12, 16, 3)


def test_a_folder_may_say_that_it_does_not_label_everyone(folder: Path) -> None:
    write(
        folder,
        IMAGE,
        IMAGE | {"other_people_unlabelled": True},
        IMAGE | {"unlabelled_background_person": True},
    )

    assert [frame.everyone_labelled for frame in read_folder(folder).frames] == [
        True,
        False,
        False,
    ]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "labels.json: want JSON"),
        ('{"pictures": []}', "no 'images'"),
        ('{"images": []}', "one object or more"),
        ('{"images": [{"file": "a.png"}]}', "image 0 (a.png): no 'width'"),
        ('{"images": [{"file": "b.png"}]}', "image 0 (b.png): no picture"),
        (
            json.dumps({"images": [IMAGE | {"people": [{"joints2d": {}}]}]}),
            "image 0 (a.png): no 'box'",
        ),
        (
            json.dumps({"images": [IMAGE | {"people": [PERSON | {"box": [1, 2]}]}]}),
            "image 0 (a.png): box: want 4 finite numbers, got [1, 2]",
        ),
        (
            json.dumps(
                {
                    "images": [
                        IMAGE
                        | {
                            "people": [
                                PERSON | {"joints2d": {"nose": [1, float("nan"), 2]}}
                            ]
                        }
                    ]
                }
            ),
            "image 0 (a.png): nose: want 3 finite numbers, got [1, nan, 2]",
        ),
        (
            json.dumps(
                {
                    "images": [
                        IMAGE | {"people": [PERSON | {"joints3d": {"nose": [1, 2]}}]}
                    ]
                }
            ),
            "image 0 (a.png): nose: want 3 finite numbers, got [1, 2]",
        ),
        (
            json.dumps(
                {"images": [IMAGE | {"people": [PERSON | {"groups": {"skin": 3}}]}]}
            ),
            'image 0 (a.png): groups: want an object of names such as {"skin": "dark"}, got {\'skin\': 3}',
        ),
        (
            json.dumps({"images": [IMAGE | {"people": [PERSON | {"body": "tall"}]}]}),
            "image 0 (a.png): body: want a whole number, got tall",
        ),
    ],
)
def test_broken_labels_give_one_line_that_says_where(
    folder: Path, text: str, says: str
) -> None:
    (folder / "labels.json").write_text(text)

    with pytest.raises(LabelsError) as wrong:
        read_folder(folder)

    assert says in str(wrong.value)
    assert "\n" not in str(wrong.value)


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(LabelsError, match="nowhere: no such folder"):
        read_folder(tmp_path / "nowhere")
    with pytest.raises(LabelsError, match=r"no labels\.json"):
        read_folder(tmp_path)


def test_a_picture_of_another_size_than_labelled_is_refused(folder: Path) -> None:
    write(folder, IMAGE | {"width": 17})

    with pytest.raises(LabelsError, match=r"labels say \(17, 12\) pixels"):
        read_folder(folder).frames[0].image_bgr()


@pytest.mark.parametrize("suffix", [".jpg", ".png"])
def test_a_truncated_picture_is_refused_by_name(folder: Path, suffix: str) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (12, 16, 3)).astype(np.uint8)
    whole = cv2.imencode(suffix, noise)[1].tobytes()
    (folder / "a.png").write_bytes(whole)
    assert read_folder(folder).frames[0].image_bgr().shape == (12, 16, 3)

    (folder / "a.png").write_bytes(whole[: len(whole) * 2 // 3])
    with pytest.raises(LabelsError, match=r"a\.png: the picture is truncated"):
        read_folder(folder).frames[0].image_bgr()


def test_a_file_that_is_no_picture_is_refused(folder: Path) -> None:
    (folder / "a.png").write_bytes(b"text")

    with pytest.raises(LabelsError, match=r"a\.png: not a readable picture"):
        read_folder(folder).frames[0].image_bgr()
