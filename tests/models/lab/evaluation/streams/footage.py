"""A film of people who are known exactly: written as a labelled folder, and reported to a scripted cascade."""

import json
from pathlib import Path

import cv2
import numpy as np

from posecascade.models.arrays import Floats
from posecascade.models.skeleton import JOINT_NAMES
from tests.models.lab.evaluation.crowd import FOCAL_PX, SIZE_WH_PX, body_mm, in_pixels
from tests.models.lab.evaluation.stages import Scene

FPS = 25.0


def bodies_mm(people: int, frames: int, seed: int = 4) -> Floats:
    """[T, P, 25, 3] side by side, half of each one's joints swinging by 120 mm at 0.8 Hz."""
    rng = np.random.default_rng(seed)
    rest = np.array([body_mm(rng) for _ in range(people)])
    rest += np.array(
        [
            [[900.0 * slot - rest[slot, 0, 0], 0, 4000 - rest[slot, 0, 2]]]
            for slot in range(people)
        ]
    )
    swing = 120 * np.sin(2 * np.pi * 0.8 * np.arange(frames) / FPS)
    pose_change = np.repeat(rest[None], frames, 0)
    for name in ("left_wrist", "right_wrist", "left_elbow", "right_elbow"):
        pose_change[:, :, JOINT_NAMES.index(name), 1] += swing[:, None]
    return pose_change


def film(folder: Path, bodies: Floats, *, fps: float = FPS, ids: bool = True) -> None:
    """Writes people [T, P, 25, 3] as a film; a frame's picture is of one colour, its number."""
    folder.mkdir(parents=True)
    images = []
    for number, frame in enumerate(bodies):
        cv2.imwrite(
            str(folder / f"{number}.png"),
            np.full((*SIZE_WH_PX[::-1], 3), number, np.uint8),
        )
        images.append(
            {
                "file": f"{number}.png",
                "width": SIZE_WH_PX[0],
                "height": SIZE_WH_PX[1],
                "K": [[FOCAL_PX, 0, 320], [0, FOCAL_PX, 240], [0, 0, 1]],
                "time_s": number / fps,
                "people": [
                    _label(body) | ({"id": group} if ids else {})
                    for group, body in enumerate(frame)
                ],
            }
        )
    (folder / "labels.json").write_text(json.dumps({"images": images}))


def _label(body: Floats) -> dict[str, object]:
    px = in_pixels(body)
    return {
        "joints2d": {name: [*px[i], 2] for i, name in enumerate(JOINT_NAMES)},
        "joints3d": {name: list(body[i]) for i, name in enumerate(JOINT_NAMES)},
        "box": [*px.min(0), *px.max(0)],
    }


def reported(bodies: Floats, sigma_mm: float, seed: int = 5) -> Scene:
    """What the stages of a scripted cascade know: those people, each joint off by fresh noise in every frame."""
    off = np.random.default_rng(seed).normal(0, sigma_mm, bodies.shape)
    return Scene(list(bodies), list(off))
