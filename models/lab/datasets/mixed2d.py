"""Sample photos of CrowdPose, OCHuman, AIC, PoseTrack18 and MPII: crowds in 2D. To measure on, never to train on.

Source: the test data of github.com/open-mmlab/mmpose; each photo keeps the terms of its data set, research use.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from posecascade.models.lab.datasets.from_labels import refuse_training, samples_of
from posecascade.models.lab.datasets.labelled import read_folder
from posecascade.models.lab.datasets.sample import PoseSample

SOURCE: Final = "mixed2d"
LICENCE: Final = "research only"


def training_samples(folder: Path) -> Iterator[PoseSample]:
    """Refuses.

    Raises:
        NotForTraining: always, with the terms.
        LabelsError: the folder cannot be read.
    """
    refuse_training(read_folder(folder))


def evaluation_samples(folder: Path) -> Iterator[PoseSample]:
    """All photos.

    Raises:
        LabelsError: the folder cannot be read.
    """
    return samples_of(read_folder(folder).frames, SOURCE, LICENCE, fewest_joints=0)
