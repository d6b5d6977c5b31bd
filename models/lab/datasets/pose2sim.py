"""Pose2Sim's demo with several people: a treadmill laboratory, four calibrated cameras, COCO's 17 joints in 2D and 3D.

Source: github.com/perfanalytics/pose2sim, BSD-3-Clause. The 3D is triangulated from a 2D network's finds: pseudo
truth, a few centimetres off where only two cameras agreed.
"""

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Final

from posecascade.models.lab.datasets.errors import MissingData
from posecascade.models.lab.datasets.from_labels import samples_of
from posecascade.models.lab.datasets.labelled import read_folder
from posecascade.models.lab.datasets.sample import PoseSample

SOURCE: Final = "pose2sim"
LICENCE: Final = "BSD-3-Clause, Copyright (c) 2022 perfanalytics"
FEWEST_VIEWS: Final = 3
"""Cameras that must agree on a joint before its place in space counts. Strict: few hips pass, so few pelvises."""


def training_samples(
    folder: Path, cameras: Collection[str], fewest_views: int = FEWEST_VIEWS
) -> Iterator[PoseSample]:
    """The frames of some cameras ("cam1", ...) one by one.

    The project measures itself on this footage: whoever trains on some of its cameras reports on none of its people.

    Raises:
        LabelsError: the folder cannot be read.
        MissingData: no frame is of these cameras.
    """
    frames = [
        frame
        for frame in read_folder(folder).frames
        if frame.path.stem.split("_")[0] in cameras
    ]
    if not frames:
        raise MissingData(
            f"{folder}: no frame of the cameras {', '.join(sorted(cameras)) or '(none given)'}"
        )
    return samples_of(frames, SOURCE, LICENCE, fewest_views=fewest_views)


def evaluation_samples(folder: Path) -> Iterator[PoseSample]:
    """All frames of all cameras.

    Raises:
        LabelsError: the folder cannot be read.
    """
    return samples_of(
        read_folder(folder).frames,
        SOURCE,
        LICENCE,
        fewest_joints=0,
        fewest_views=FEWEST_VIEWS,
    )
