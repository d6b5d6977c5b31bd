"""Single frames of MPI-INF-3DHP and Human3.6M: one person, true 3D. To measure on, never to train on.

Source: Mehta et al., 3DV 2017 (arXiv 1611.09813); Ionescu et al., TPAMI 2014. Non-commercial research only.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from posecascade.models.lab.datasets.from_labels import refuse_training, samples_of
from posecascade.models.lab.datasets.labelled import read_folder
from posecascade.models.lab.datasets.sample import PoseSample

SOURCE: Final = "single3d"
LICENCE: Final = "non-commercial research only"


def training_samples(folder: Path) -> Iterator[PoseSample]:
    """Refuses.

    Raises:
        NotForTraining: always, with the terms.
        LabelsError: the folder cannot be read.
    """
    refuse_training(read_folder(folder))


def evaluation_samples(folder: Path) -> Iterator[PoseSample]:
    """All frames.

    Raises:
        LabelsError: the folder cannot be read.
    """
    return samples_of(read_folder(folder).frames, SOURCE, LICENCE, fewest_joints=0)
