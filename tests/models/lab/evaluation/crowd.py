"""A labelled folder and detections for it, made from a seed: people, misses, doubles, strangers, ignore boxes."""

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from posecascade.models.lab.scoring.answers import Guess
from posecascade.models.skeleton import COCO17, JOINT_NAMES, JOINTS

SIZE_WH_PX = (640, 480)
FOCAL_PX = 600.0


def body_mm(rng: np.random.Generator) -> np.ndarray:
    """[25, 3] a random standing figure, camera space."""
    rest = np.zeros((JOINTS, 3))
    for index, name in enumerate(JOINT_NAMES):
        side = (
            1.0
            if name.startswith("left_")
            else -1.0
            if name.startswith("right_")
            else 0.0
        )
        part = name.removeprefix("left_").removeprefix("right_")
        x, y = {
            "shoulder": (180, -500),
            "elbow": (330, -330),
            "wrist": (380, -90),
            "hip": (110, 0),
            "knee": (120, 420),
            "ankle": (110, 830),
            "eye": (35, -690),
            "ear": (70, -680),
            "heel": (110, 880),
            "toe": (120, 900),
            "spine": (0, -250),
            "neck": (0, -550),
            "head_top": (0, -800),
            "nose": (0, -660),
        }.get(part, (0, 0))
        rest[index] = side * x, y, 0
    rest += rng.normal(0, 60, rest.shape)
    return rest + np.array(
        [rng.uniform(-900, 900), rng.uniform(-150, 150), rng.uniform(2500, 6000)]
    )


def in_pixels(joints_mm: np.ndarray) -> np.ndarray:
    return FOCAL_PX * joints_mm[:, :2] / joints_mm[:, 2:] + np.array(SIZE_WH_PX) / 2


def labelled(
    joints_mm: np.ndarray,
    rng: np.random.Generator,
    names: tuple[str, ...],
    known: float,
) -> dict[str, Any]:
    """A person of `labels.json`: each joint is marked with probability `known`, 3D is there for four in five."""
    joints_px = in_pixels(joints_mm)
    low = joints_px.min(0) - 8
    high = joints_px.max(0) + 8
    marked = [name for name in names if rng.random() < known]
    index = JOINT_NAMES.index
    in_2d = {
        name: [*np.round(joints_px[index(name)], 1), int(rng.integers(1, 3))]
        for name in marked
    }
    in_3d = {name: list(np.round(joints_mm[index(name)], 1)) for name in marked}
    return {
        "joints2d": in_2d,
        "joints3d": in_3d if rng.random() < 0.8 else {},
        "box": [*low, *high],
    }


def guessed(
    joints_mm: np.ndarray, rng: np.random.Generator, noise_px: float, noise_mm: float
) -> Guess:
    joints_px = in_pixels(joints_mm) + rng.normal(0, noise_px, (JOINTS, 2))
    rel_mm = joints_mm - joints_mm[0] + rng.normal(0, noise_mm, (JOINTS, 3))
    return Guess(
        joints_px,
        float(rng.random()),
        rel_mm,
        np.full(JOINTS, noise_mm * 3**0.5),
        joints_mm[0] + 50,
    )


def crowd(folder: Path, *, frames: int = 24, seed: int = 7) -> list[list[Guess]]:
    """Writes a labelled folder with pictures of one colour, and says what a middling system sees in each frame."""
    rng = np.random.default_rng(seed)
    images = []
    guesses = []
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(frames):
        bodies = [body_mm(rng) for _ in range(int(rng.integers(0, 5)))]
        unmatched = [body_mm(rng) for _ in range(int(rng.integers(0, 2)))]
        known = float(rng.choice([1.0, 0.9, 0.5]))
        cv2.imwrite(
            str(folder / f"{number:03}.png"),
            np.full((*SIZE_WH_PX[::-1], 3), number, np.uint8),
        )
        images.append(
            {
                "file": f"{number:03}.png",
                "width": SIZE_WH_PX[0],
                "height": SIZE_WH_PX[1],
                "K": [[FOCAL_PX, 0, 320], [0, FOCAL_PX, 240], [0, 0, 1]]
                if number % 2
                else None,
                "people": [
                    labelled(body, rng, COCO17.joints, known) for body in bodies
                ],
                "ignore": [
                    [*low, *(low + 150)] for low in rng.uniform(0, 400, (number % 3, 2))
                ],
                "other_people_unlabelled": number % 5 == 4,
                "unlabelled_background_person": number % 7 == 6,
            }
        )
        seen = (
            [body for body in bodies if rng.random() < 0.85]
            + unmatched
            + bodies[:1] * (number % 4 == 0)
        )
        guesses.append(
            [
                guessed(body, rng, rng.uniform(1, 25), rng.uniform(20, 120))
                for body in seen
            ]
        )
    (folder / "labels.json").write_text(
        json.dumps({"source": "crowd", "images": images})
    )
    return guesses
