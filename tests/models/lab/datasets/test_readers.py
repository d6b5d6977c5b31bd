"""Each data set as samples: what is marked is known, what is not is masked, what may not be learned from refuses."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from posecascade.models.lab.datasets import (
    backgrounds,
    coco_mini,
    lspet,
    mixed2d,
    pose2sim,
    single3d,
)
from posecascade.models.lab.datasets.errors import (
    BrokenData,
    LabelsError,
    MissingData,
    NotForTraining,
)
from posecascade.models.lab.datasets.sample import PoseSample, Visibility
from posecascade.models.records import CameraSource
from posecascade.models.skeleton import JOINT_NAMES
from tests.models.lab.datasets.people import folder, image

READERS = [coco_mini, lspet, pose2sim, single3d, mixed2d]
HIPS = {"left_hip": [100, 0, 3000], "right_hip": [-100, 0, 3000]}


@pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.SOURCE)
def test_only_marked_joints_are_known(reader, tmp_path: Path):
    [one] = reader.evaluation_samples(folder(tmp_path / "set", image()))

    known = {JOINT_NAMES[joint] for joint in np.flatnonzero(one.has_px[0])}
    paired = {
        f"{side}_{part}"
        for side in ("left", "right")
        for part in ("eye", "shoulder", "hip")
    }
    assert known == paired | {"nose", "neck"}
    assert not one.has_mm.any()
    assert (one.visibility[~one.has_px] == Visibility.UNKNOWN).all()
    assert one.source == reader.SOURCE
    assert one.camera.source is CameraSource.ASSUMED


@pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.SOURCE)
def test_a_folder_that_is_not_there_is_named(reader, tmp_path: Path):
    with pytest.raises(LabelsError, match="nowhere: no such folder"):
        reader.evaluation_samples(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("train", "says"),
    [
        (single3d.training_samples, "set: evaluation only .research, not for sale."),
        (mixed2d.training_samples, "set: evaluation only .research, not for sale."),
        (lspet.training_samples, "set: research only .research, not for sale."),
        (coco_mini.training_samples, "no photo is marked `trainable`"),
    ],
    ids=["single3d", "mixed2d", "lspet", "coco"],
)
def test_training_is_refused_with_the_terms(
    train: Callable[[Path], object], says: str, tmp_path: Path
):
    data = folder(
        tmp_path / "set",
        image(),
        terms="research, not for sale",
        allowed="evaluation only",
    )

    with pytest.raises(NotForTraining, match=says):
        train(data)


def test_only_trainable_photos_are_trained_on(tmp_path: Path):
    data = folder(
        tmp_path, image("a.png"), image("b.png", trainable=True, licence="CC BY 2.0")
    )

    [one] = coco_mini.training_samples(data)
    assert one.licence == "CC BY 2.0"


def test_research_data_opens_to_those_who_say_so(tmp_path: Path):
    assert (
        len(list(lspet.training_samples(folder(tmp_path, image()), research=True))) == 1
    )


def test_people_with_few_joints_are_not_learned_from_but_are_there(tmp_path: Path):
    few = {"joints2d": {"nose": [1, 1, 2]}, "box": [0, 0, 4, 4]}
    [one] = coco_mini.training_samples(
        folder(tmp_path, image(people=[few], trainable=True))
    )

    assert one.people == 0
    assert one.other_people_unlabelled


def test_the_pelvis_is_the_midpoint_of_hips_that_enough_cameras_saw(tmp_path: Path):
    def person(views: int) -> dict[str, object]:
        return image()["people"][0] | {
            "joints3d": HIPS,
            "views": dict.fromkeys(HIPS, views),
        }

    data = folder(
        tmp_path,
        image("cam1_000.png", people=[person(3), person(2)]),
        image("cam2_000.png"),
    )
    [one] = pose2sim.training_samples(data, ["cam1"])

    assert one.has_mm[:, 0].tolist() == [True, False]
    assert one.joints_mm[0, 0].tolist() == [0, 0, 3000]


def test_a_camera_without_frames_is_named(tmp_path: Path):
    with pytest.raises(MissingData, match="no frame of the cameras cam7"):
        pose2sim.training_samples(folder(tmp_path, image("cam1_000.png")), ["cam7"])


def test_a_marked_joint_out_of_the_frame_is_outside(tmp_path: Path):
    people = image()["people"]
    people[0]["joints2d"]["nose"] = [-3, 5, 2]
    [one] = coco_mini.evaluation_samples(folder(tmp_path, image(people=people)))

    assert one.visibility[0, JOINT_NAMES.index("nose")] == Visibility.OUTSIDE


def test_backgrounds_have_nobody_in_them(tmp_path: Path):
    folder(tmp_path, image())
    (tmp_path / "backgrounds.json").write_text(
        '{"images": [{"file": "a.png", "licence": "CC0", "source": "here"}]}'
    )
    [one] = backgrounds.training_samples(tmp_path)

    assert (one.people, one.licence, one.other_people_unlabelled) == (0, "CC0", False)


@pytest.mark.parametrize(
    ("text", "wrong", "says"),
    [
        ("{", BrokenData, "JSONDecodeError"),
        ('{"images": [{"file": "a.png"}]}', BrokenData, "KeyError: 'licence'"),
        (
            '{"images": [{"file": "b.png", "licence": "", "source": ""}]}',
            MissingData,
            r"names b\.png, which is not there",
        ),
    ],
)
def test_a_broken_index_of_backgrounds_says_what_is_wrong(
    text, wrong, says, tmp_path: Path
):
    (tmp_path / "backgrounds.json").write_text(text)

    with pytest.raises(wrong, match=says):
        backgrounds.read_backgrounds(tmp_path)


def test_a_damaged_background_is_named(tmp_path: Path):
    (tmp_path / "a.png").write_bytes(b"text")
    (tmp_path / "backgrounds.json").write_text(
        '{"images": [{"file": "a.png", "licence": "", "source": ""}]}'
    )

    with pytest.raises(BrokenData, match=r"a\.png: not a readable picture"):
        next(backgrounds.training_samples(tmp_path))


def test_a_sample_of_the_wrong_shape_is_refused():
    none = np.zeros((0, 25), bool)

    with pytest.raises(ValueError, match="want shapes"):
        PoseSample(
            np.zeros((2, 2, 3), np.uint8),
            None,
            np.zeros((1, 25, 2)),
            np.zeros((0, 25, 3)),
            none,
            none,
            np.zeros((0, 25), np.int8),
            np.zeros((0, 4)),
            np.zeros((0, 4)),
            False,
            "",
            "",
        )
