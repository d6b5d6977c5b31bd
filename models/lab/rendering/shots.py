"""Rendered batches as the record of all data sets."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from posecascade.models.arrays import Image
from posecascade.models.lab.datasets.sample import PoseSample
from posecascade.models.lab.rendering.raster import NEAR_M
from posecascade.models.records import Camera

SOURCE: Final = "synthetic"
LICENCE: Final = "bodies, clothes and light CC0-1.0; motion from mocap.cs.cmu.edu; photos each by its own licence"


def samples_of(images: Tensor, truth: Mapping[str, Tensor]) -> Iterator[PoseSample]:
    """The pictures [B, 3, S, S] RGB of a batch one by one, with their rows of the truth."""
    columns = {name: values.cpu().numpy() for name, values in truth.items()}
    pictures = images.flip(1).permute(0, 2, 3, 1).contiguous().cpu().numpy()
    for number, picture in enumerate(pictures):
        yield sample_of(picture, columns, number)


def sample_of(
    picture_bgr: Image, columns: Mapping[str, NDArray[Any]], number: int
) -> PoseSample:
    """Picture `number` of a batch.

    Who is wholly outside of the frame is left out. Who reaches behind the camera stays, without the places in the
    picture of joints that have none.
    """
    mine = (columns["frame"] == number) & (columns["truncated"] < 1)
    joints_mm = columns["joints_mm"][mine].astype(np.float64)
    before = np.asarray(joints_mm[..., 2] > NEAR_M * 1000)
    k = columns["K"][number]
    return PoseSample(
        image_bgr=picture_bgr,
        camera=Camera(float(k[0, 0]), float(k[1, 1]), float(k[0, 2]), float(k[1, 2])),
        joints_px=np.where(before[..., None], columns["joints_px"][mine], 0.0),
        joints_mm=joints_mm,
        has_px=before,
        has_mm=np.ones_like(before),
        visibility=columns["vis"][mine].astype(np.int8),
        box_xyxy=columns["box"][mine].astype(np.float64),
        ignore_xyxy=np.zeros((0, 4)),
        other_people_unlabelled=False,
        source=SOURCE,
        licence=LICENCE,
    )
