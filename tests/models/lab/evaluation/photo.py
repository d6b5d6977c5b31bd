"""A photo that the cascade itself has labelled: whoever says the same is right."""

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from posecascade.models.cascade.cascade import Cascade
from posecascade.models.lab.datasets.labelled import LabelledFolder, read_folder
from posecascade.models.records import Person
from posecascade.models.skeleton import JOINT_NAMES

PHOTO = Path("docs/demo/skate_bowl.jpg")


def labelled_photo(folder: Path, cascade: Cascade) -> LabelledFolder:
    """The photo in `folder`, the truth being what the cascade says when everybody goes through all stages."""
    image = cv2.imread(str(PHOTO))
    answer = cascade.predict(image, quality="best")
    camera = answer.camera
    height, width = image.shape[:2]
    entry = {
        "file": "photo.png", "width": width, "height": height,
        "K": [[camera.fx, 0, camera.cx], [0, camera.fy, camera.cy], [0, 0, 1]],
        "people": [_label(person) for person in answer.people],
    }  # fmt: skip
    cv2.imwrite(str(folder / "photo.png"), image)
    (folder / "labels.json").write_text(json.dumps({"images": [entry]}))
    return read_folder(folder)


def _label(person: Person) -> dict[str, Any]:
    """The person as truth."""
    px = np.asarray(person.pose.joints_px)
    mm = np.asarray(person.pose.joints_mm)
    return {
        "joints2d": {name: [*px[i], 2] for i, name in enumerate(JOINT_NAMES)},
        "joints3d": {name: list(mm[i]) for i, name in enumerate(JOINT_NAMES)},
        "box": [*px.min(0), *px.max(0)],
    }
