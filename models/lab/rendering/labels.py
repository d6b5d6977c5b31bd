"""Writes rendered people as a labelled folder, the format that `models/lab/datasets/labelled.py` reads."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from posecascade.models.lab.datasets.labelled import RENDERED
from posecascade.models.lab.rendering.census import Census
from posecascade.models.lab.rendering.raster import NEAR_M
from posecascade.models.lab.rendering.truth import OUTSIDE, VISIBLE
from posecascade.models.skeleton import JOINT_NAMES

FEWEST_VISIBLE: Final = 6
"""People with fewer visible joints are not asked for: their boxes are ignored."""

_QUALITY: Final = 95
_TERMS: Final = (
    "bodies, clothes and light CC0-1.0; motion from mocap.cs.cmu.edu, free for all uses"
)

Truth = dict[str, NDArray[Any]]


def write_labelled(
    folder: Path,
    batches: Iterable[tuple[Tensor, dict[str, Tensor]]],
    split: str,
    fps: float | None = None,
    census: Census | None = None,
) -> int:
    """Pictures and `labels.json` of all batches; returns how many pictures.

    Args:
        fps: of a film, whose pictures get a time; None: they are no film.
        census: says who is of which group; None: nobody has groups.
    """
    folder.mkdir(parents=True, exist_ok=True)
    entries: list[dict[str, Any]] = []
    for images, columns in batches:
        truth = {name: values.cpu().numpy() for name, values in columns.items()}
        for index, image in enumerate(images.cpu().numpy()):
            name = f"{len(entries):05d}.jpg"
            picture = np.ascontiguousarray(image.transpose(1, 2, 0)[..., ::-1])
            cv2.imwrite(
                str(folder / name), picture, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY]
            )
            when = {} if fps is None else {"time_s": len(entries) / fps}
            entries.append(when | entry(name, picture.shape[0], truth, index, census))
    described = {
        "source": RENDERED,
        "split": split,
        "truth": "exact, rendered",
        "terms": _TERMS,
    }
    (folder / "labels.json").write_text(
        json.dumps({**described, "images": entries}) + "\n"
    )
    return len(entries)


def entry(
    name: str, size_px: int, truth: Truth, index: int, census: Census | None = None
) -> dict[str, Any]:
    """What `labels.json` says of one picture."""
    rows = np.flatnonzero((truth["frame"] == index) & (truth["pixels"] > 0))
    requested = (truth["vis"][rows] == VISIBLE).sum(1) >= FEWEST_VISIBLE
    return {
        "file": name,
        "width": size_px,
        "height": size_px,
        "K": truth["K"][index].tolist(),
        "people": [
            _person(truth, row, size_px) | _grouped(truth, row, census)
            for row in rows[requested]
        ],
        "ignore": [_box(truth["box"][row], size_px) for row in rows[~requested]],
    }


def _person(truth: Truth, row: int, size_px: int) -> dict[str, Any]:
    """Joints in pixels where they are in the frame, in space wherever they are before the camera."""
    vis, px, mm = (truth[name][row] for name in ("vis", "joints_px", "joints_mm"))
    marks = np.where(vis == VISIBLE, 2, 1)
    before = mm[:, 2] > NEAR_M * 1000
    return {
        "joints2d": {
            joint: [round(float(px[j, 0]), 2), round(float(px[j, 1]), 2), int(marks[j])]
            for j, joint in enumerate(JOINT_NAMES)
            if vis[j] != OUTSIDE
        },
        "joints3d": {
            joint: [round(float(x), 2) for x in mm[j]]
            for j, joint in enumerate(JOINT_NAMES)
            if before[j]
        },
        "box": _box(truth["box"][row], size_px),
        "id": int(truth["id"][row]),
    }


def _grouped(truth: Truth, row: int, census: Census | None) -> dict[str, Any]:
    return (
        {}
        if census is None
        else {"groups": census.groups(truth, row), "body": int(truth["shape"][row])}
    )


def _box(corners: NDArray[Any], size_px: int) -> list[float]:
    """The part of a box that is in the frame."""
    return [round(float(value), 2) for value in np.clip(corners, 0, size_px)]
