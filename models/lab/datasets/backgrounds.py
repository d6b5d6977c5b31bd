"""Photos without people: backdrops of the rendered frames, and frames in which whoever is found is false."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from posecascade.models.arrays import Image
from posecascade.models.camera import assumed
from posecascade.models.lab.datasets.errors import BrokenData, MissingData
from posecascade.models.lab.datasets.pictures import read_picture
from posecascade.models.lab.datasets.sample import PoseSample
from posecascade.models.skeleton import JOINTS

SOURCE: Final = "backgrounds"
_INDEX: Final = "backgrounds.json"


@dataclass(frozen=True, slots=True)
class Background:
    """One photo and where it is from."""

    path: Path
    licence: str
    source: str

    def image_bgr(self) -> Image:
        """The decoded photo.

        Raises:
            BrokenData: it cannot be read, or is truncated.
        """
        try:
            return read_picture(self.path)
        except ValueError as wrong:
            raise BrokenData(str(wrong)) from wrong


def read_backgrounds(folder: Path) -> tuple[Background, ...]:
    """The photos that the folder's index names, not decoded yet.

    Raises:
        MissingData: no folder, no index, or a photo that it names is not there.
        BrokenData: the index is no JSON of the format `{"images": [{"file", "licence", "source"}]}`.
    """
    index = folder / _INDEX
    if not index.is_file():
        raise MissingData(
            f"{folder}: no {_INDEX} in it"
            if folder.is_dir()
            else f"{folder}: no such folder"
        )
    try:
        rows = json.loads(index.read_text())["images"]
        photos = [
            Background(folder / row["file"], row["licence"], row["source"])
            for row in rows
        ]
    except (json.JSONDecodeError, UnicodeDecodeError, KeyError, TypeError) as error:
        raise BrokenData(
            f"{index}: want images with file, licence and source, got {type(error).__name__}: "
            f"{str(error).splitlines()[0]}"
        ) from error
    absent = next((photo.path for photo in photos if not photo.path.is_file()), None)
    if absent is not None:
        raise MissingData(f"{index} names {absent.name}, which is not there")
    return tuple(photos)


def training_samples(folder: Path) -> Iterator[PoseSample]:
    """The photos as samples in which there is nobody.

    Raises:
        MissingData, BrokenData: as `read_backgrounds`; a damaged photo when its turn comes.
    """
    return map(_nobody, read_backgrounds(folder))


def licences(photos: Sequence[Background]) -> dict[str, int]:
    """How many photos are under each licence."""
    return {
        licence: sum(photo.licence == licence for photo in photos)
        for licence in sorted({photo.licence for photo in photos})
    }


def _nobody(photo: Background) -> PoseSample:
    image = photo.image_bgr()
    none = np.zeros((0, JOINTS), bool)
    return PoseSample(
        image_bgr=image,
        camera=assumed(image.shape[1], image.shape[0]),
        joints_px=np.zeros((0, JOINTS, 2)),
        joints_mm=np.zeros((0, JOINTS, 3)),
        has_px=none,
        has_mm=none.copy(),
        visibility=np.zeros((0, JOINTS), np.int8),
        box_xyxy=np.zeros((0, 4)),
        ignore_xyxy=np.zeros((0, 4)),
        other_people_unlabelled=False,
        source=SOURCE,
        licence=photo.licence,
    )
