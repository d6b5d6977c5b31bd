"""The parts of the deep stages, taken away one at a time, on a picture that the cascade itself has labelled."""

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

pytest.importorskip("torch", reason="needs the extra `train`")

from models.cascade import Cascade
from models.datasets.labelled import read_folder
from models.evaluation.ablation import VARIANTS, Line, as_markdown, lines_of
from models.evaluation.figures import Summary
from models.manifest import WEIGHTS
from models.records import Person, Stage
from models.skeleton import JOINT_NAMES

PHOTO = Path("docs/demo/skate_bowl.jpg")


def label(person: Person) -> dict[str, Any]:
    """The person as truth."""
    px, mm = np.asarray(person.pose.joints_px), np.asarray(person.pose.joints_mm)
    return {
        "joints2d": {name: [*px[i], 2] for i, name in enumerate(JOINT_NAMES)},
        "joints3d": {name: list(mm[i]) for i, name in enumerate(JOINT_NAMES)},
        "box": [*px.min(0), *px.max(0)],
    }


@pytest.fixture(scope="module")
def lines(tmp_path_factory: pytest.TempPathFactory) -> list[Line]:
    folder = tmp_path_factory.mktemp("labelled")
    image = cv2.imread(str(PHOTO))
    cascade = Cascade.load(WEIGHTS)
    answer = cascade.predict(image, quality="best")
    camera = answer.camera
    height, width = image.shape[:2]
    entry = {
        "file": "photo.png", "width": width, "height": height,
        "K": [[camera.fx, 0, camera.cx], [0, camera.fy, camera.cy], [0, 0, 1]],
        "people": [label(person) for person in answer.people],
    }  # fmt: skip
    cv2.imwrite(str(folder / "photo.png"), image)
    (folder / "labels.json").write_text(json.dumps({"images": [entry]}))
    return list(lines_of(cascade, WEIGHTS, read_folder(folder), rounds=10))


def expert(lines: list[Line], variant: str) -> Summary:
    return next(line.summary for line in lines if line.stage is Stage.EXPERT and line.variant == variant)


def test_every_deep_stage_is_asked_in_every_variant(lines):
    assert [(line.stage, line.variant) for line in lines] == [
        (stage, variant) for stage in (Stage.REFINE, Stage.EXPERT) for variant in VARIANTS
    ]


def test_expert_as_it_ships_says_what_the_cascade_said(lines):
    figures = expert(lines, "as it ships").figures
    assert figures["found"].value == 100
    assert figures["mpjpe"].value < 1


@pytest.mark.parametrize("variant", [variant for variant in VARIANTS if variant != "as it ships"])
def test_each_part_that_is_taken_away_changes_the_answer(lines, variant):
    assert expert(lines, variant).figures["mpjpe"].value > 1


def test_the_table_has_a_row_a_line(lines):
    text = as_markdown("labelled", lines)
    assert text.startswith("`labelled`")
    assert text.count("\n| refine |") == text.count("\n| expert |") == len(VARIANTS)
