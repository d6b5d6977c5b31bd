"""Rendered training frames on disk: shards of JPEG pictures with their exact truth."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np

from posecascade.models.lab.datasets.sample import PoseSample
from posecascade.models.records import Camera

COLUMNS = ("K", "joints_mm", "joints_px", "vis", "box", "frame", "truncated")
"""Truth kept of the renderer's: [B, 3, 3] a frame, the others a row a person; `frame` says whose."""


def write_shard(
    path: Path, images_rgb: np.ndarray, truth: dict[str, np.ndarray], quality: int = 95
) -> None:
    """Pictures [B, 3, H, W] uint8 and truth columns, whole or not at all."""
    coded = [
        cv2.imencode(
            ".jpg",
            image.transpose(1, 2, 0)[..., ::-1],
            [cv2.IMWRITE_JPEG_QUALITY, quality],
        )[1].ravel()
        for image in images_rgb
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial.npz")
    columns: dict[str, Any] = {name: truth[name] for name in COLUMNS}
    np.savez(
        partial,
        jpg=np.concatenate(coded),
        jpg_len=np.array([len(picture) for picture in coded]),
        **columns,
    )
    partial.rename(path)


def read_shard(path: Path) -> list[PoseSample]:
    """The frames of a shard; people wholly outside the frame are left out.

    Raises:
        ValueError: the file is damaged.
    """
    try:
        with np.load(path) as saved:
            columns = dict(saved)
        ends = np.cumsum(columns["jpg_len"])
        pictures = [
            cv2.imdecode(columns["jpg"][end - size : end], cv2.IMREAD_COLOR)
            for end, size in zip(ends, columns["jpg_len"], strict=True)
        ]
    except (OSError, KeyError, ValueError) as error:
        raise ValueError(
            f"{path} is no shard of rendered frames ({error}); delete it and it is rendered again"
        ) from error
    return [
        _sample(np.asarray(picture, np.uint8), columns, index)
        for index, picture in enumerate(pictures)
    ]


def _sample(
    picture: np.ndarray, columns: dict[str, np.ndarray], index: int
) -> PoseSample:
    k = columns["K"][index]
    mine = (
        (columns["frame"] == index)
        & (columns["truncated"] < 1)
        & (columns["joints_mm"][:, :, 2].min(1) > 100)
    )
    vis = columns["vis"][mine]
    labelled = np.ones(vis.shape, bool)
    return PoseSample(
        image_bgr=picture,
        camera=Camera(float(k[0, 0]), float(k[1, 1]), float(k[0, 2]), float(k[1, 2])),
        joints_px=columns["joints_px"][mine].astype(float),
        joints_mm=columns["joints_mm"][mine].astype(float),
        has_px=labelled,
        has_mm=labelled,
        visibility=vis.astype(np.int8),
        box_xyxy=columns["box"][mine].astype(float),
        ignore_xyxy=np.zeros((0, 4)),
        other_people_unlabelled=False,
        source="synthetic",
        licence="CC0-1.0 and CMU mocap",
    )
