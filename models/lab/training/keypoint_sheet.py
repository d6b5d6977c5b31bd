"""Training crops with their labels drawn: left joints orange, right joints blue, the middle grey."""

from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np

from posecascade.models.arrays import Image
from posecascade.models.lab.datasets.coco_crops import Crop
from posecascade.models.skeleton import COCO17

_COLUMNS: Final = 10
_COLOURS_BGR: Final = {"left": (40, 150, 255), "right": (255, 160, 60)}
_MIDDLE_BGR: Final = (170, 170, 170)
_LIMBS: Final = (
    ("shoulder", "elbow"),
    ("elbow", "wrist"),
    ("shoulder", "hip"),
    ("hip", "knee"),
    ("knee", "ankle"),
)


def crop_sheet(crops: Sequence[Crop]) -> Image:
    """[H, W, 3] the crops in rows; a joint out of the picture is a ring, and no limb leads to it."""
    tiles = [_tile(crop) for crop in crops]
    tiles += [np.zeros_like(tiles[0])] * (-len(tiles) % _COLUMNS)
    rows = [
        np.hstack(tiles[start : start + _COLUMNS])
        for start in range(0, len(tiles), _COLUMNS)
    ]
    return np.asarray(np.vstack(rows), np.uint8)


def _tile(crop: Crop) -> Image:
    tile = crop.image_bgr.copy()
    for side, colour in _COLOURS_BGR.items():
        for one, other in _LIMBS:
            ends = [COCO17.joints.index(f"{side}_{part}") for part in (one, other)]
            if crop.shown[ends].all():
                a, b = (_pixel(crop, joint) for joint in ends)
                cv2.line(tile, a, b, colour, 1, cv2.LINE_AA)
    for joint in np.flatnonzero(crop.labelled):
        side = COCO17.joints[joint].split("_")[0]
        colour = _COLOURS_BGR.get(side, _MIDDLE_BGR)
        thickness = -1 if crop.shown[joint] else 1
        cv2.circle(tile, _pixel(crop, int(joint)), 3, colour, thickness, cv2.LINE_AA)
    corners = crop.box_xyxy_px.round().astype(int)
    cv2.rectangle(
        tile, tuple(corners[:2].tolist()), tuple(corners[2:].tolist()), (255,) * 3, 1
    )
    return np.pad(tile, ((1, 1), (1, 1), (0, 0)))


def _pixel(crop: Crop, joint: int) -> tuple[int, int]:
    x, y = np.floor(crop.joints_px[joint]).astype(int)
    return int(x), int(y)
