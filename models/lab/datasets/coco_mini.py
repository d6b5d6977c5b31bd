"""COCO photos: several people, 17 joints in 2D, marked by hand.

Source: COCO 2017 (arXiv 1405.0312); annotations CC BY 4.0, each photo under its Flickr licence. Hips are marked
further out than the joint centres of cascade25.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from posecascade.models.lab.datasets.errors import NotForTraining
from posecascade.models.lab.datasets.from_labels import samples_of
from posecascade.models.lab.datasets.labelled import read_folder
from posecascade.models.lab.datasets.sample import PoseSample

SOURCE: Final = "coco"
LICENCE: Final = "annotations CC BY 4.0, photo by its own licence"


def training_samples(folder: Path) -> Iterator[PoseSample]:
    """The photos that may be trained on, one by one: those whose own licence lets a network that ships learn from them.

    Raises:
        LabelsError: the folder cannot be read.
        NotForTraining: no photo of the folder may be.
    """
    frames = [frame for frame in read_folder(folder).frames if frame.trainable]
    if not frames:
        raise NotForTraining(
            f"{folder}: no photo is marked `trainable`; their licences allow evaluation only"
        )
    return samples_of(frames, SOURCE, LICENCE)


def evaluation_samples(folder: Path) -> Iterator[PoseSample]:
    """All photos.

    Raises:
        LabelsError: the folder cannot be read.
    """
    return samples_of(read_folder(folder).frames, SOURCE, LICENCE, fewest_joints=0)
