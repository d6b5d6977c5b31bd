"""A made-up sample whose picture, 2D and 3D agree, and a labelled folder on disk."""

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from posecascade.models.camera import project
from posecascade.models.lab.datasets.sample import PoseSample, Visibility
from posecascade.models.records import Camera
from posecascade.models.skeleton import JOINTS

SIZE_WH_PX = (320, 240)
CAMERA = Camera(300.0, 300.0, 150.0, 125.0)


def sample(people: int = 2, seed: int = 0, camera: Camera = CAMERA) -> PoseSample:
    """People before the camera, some joints unlabelled, on a smooth picture."""
    rng = np.random.default_rng(seed)
    root = rng.uniform([-600, -200, 2500], [600, 200, 4000], (people, 3))
    joints_mm = root[:, None] + rng.uniform(-500, 500, (people, JOINTS, 3)) * [
        0.5,
        1,
        0.5,
    ]
    px = project(joints_mm, camera)
    has_px, has_mm = rng.random((2, people, JOINTS)) < 0.8
    inside = ((px >= 0) & (px < SIZE_WH_PX)).all(-1)
    known = np.where(
        has_px, rng.integers(1, 4, (people, JOINTS)), int(Visibility.UNKNOWN)
    )
    return PoseSample(
        image_bgr=smooth_picture(rng),
        camera=camera,
        joints_px=np.where(has_px[..., None], px, 0.0),
        joints_mm=np.where(has_mm[..., None], joints_mm, 0.0),
        has_px=has_px,
        has_mm=has_mm,
        visibility=np.where(has_px & ~inside, int(Visibility.OUTSIDE), known).astype(
            np.int8
        ),
        box_xyxy=np.concatenate([px.min(1) - 5, px.max(1) + 5], 1).reshape(-1, 4),
        ignore_xyxy=np.array([[10.0, 20, 40, 90]]),
        other_people_unlabelled=False,
        source="made up",
        licence="none",
    )


def smooth_picture(rng: np.random.Generator) -> np.ndarray:
    width, height = SIZE_WH_PX
    return cv2.resize(
        rng.integers(0, 256, (6, 8, 3)).astype(np.uint8),
        (width, height),
        interpolation=cv2.INTER_CUBIC,
    )


def folder(path: Path, *images: dict[str, Any], **head: Any) -> Path:
    """Writes a labelled folder; each image gets a black picture of its size."""
    path.mkdir(parents=True, exist_ok=True)
    for image in images:
        cv2.imwrite(
            str(path / image["file"]),
            np.zeros((image["height"], image["width"], 3), np.uint8),
        )
    (path / "labels.json").write_text(json.dumps(head | {"images": images}))
    return path


def image(name: str = "a.png", **changes: Any) -> dict[str, Any]:
    """One labelled picture, 16 x 12, with one person of nine joints."""
    names = (
        "nose",
        "left_eye",
        "right_eye",
        "left_shoulder",
        "right_shoulder",
        "left_hip",
        "right_hip",
        "neck",
        "head",
    )
    person = {
        "joints2d": {joint: [index, 5, 2] for index, joint in enumerate(names)},
        "box": [0, 0, 10, 12],
    }
    return {"file": name, "width": 16, "height": 12, "people": [person]} | changes
