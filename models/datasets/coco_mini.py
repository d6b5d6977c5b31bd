"""COCO photos for training: only those whose own licence lets a network that ships learn from them.

Source: COCO 2017 (arXiv 1405.0312); annotations CC BY 4.0, each photo under its Flickr licence.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from models.camera import assumed
from models.datasets.errors import NotForTraining
from models.datasets.labelled import LabelledFrame, read_folder
from models.datasets.sample import PoseSample

FEWEST_JOINTS = 6
"""People with fewer marked joints are not learned from, and whoever finds them is not wrong."""


def training_samples(folder: Path) -> Iterator[PoseSample]:
    """The photos that may be trained on, one by one.

    Raises:
        LabelsError: the folder cannot be read.
        NotForTraining: no photo of the folder may be.
    """
    frames = [frame for frame in read_folder(folder).frames if frame.trainable]
    if not frames:
        raise NotForTraining(f"{folder}: no photo is marked `trainable`; their licences allow evaluation only")
    return map(_sample, frames)


def _sample(frame: LabelledFrame) -> PoseSample:
    image = frame.image_bgr()
    people = [person for person in frame.people if (person.seen > 0).sum() >= FEWEST_JOINTS]
    px = np.array([person.joints_px for person in people]).reshape(-1, 25, 2)
    marked = np.isfinite(px[..., 0])
    nothing = np.zeros(marked.shape, bool)
    return PoseSample(
        image_bgr=image,
        camera=frame.camera or assumed(image.shape[1], image.shape[0]),
        joints_px=np.nan_to_num(px),
        joints_mm=np.zeros((len(people), 25, 3)),
        has_px=marked,
        has_mm=nothing,
        visibility=np.full(marked.shape, -1, np.int8),
        box_xyxy=np.array([person.box_xyxy_px for person in people]).reshape(-1, 4),
        ignore_xyxy=frame.ignore_xyxy_px.copy(),
        other_people_unlabelled=not frame.everyone_labelled or len(people) < len(frame.people),
        source="coco",
        licence=frame.licence,
    )
