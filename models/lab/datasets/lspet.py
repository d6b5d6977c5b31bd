"""Leeds Sports Pose, extended: one acrobatic person a photo, 14 joints in 2D, marked by the crowd, small and noisy.

Source: Johnson & Everingham, Learning effective human pose estimation from inaccurate annotation, CVPR 2011. The
photos are from Flickr and state no licence: good for research, not for a network that ships. Other people are in
view and not labelled.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from posecascade.models.lab.datasets.errors import NotForTraining
from posecascade.models.lab.datasets.from_labels import samples_of
from posecascade.models.lab.datasets.labelled import read_folder
from posecascade.models.lab.datasets.sample import PoseSample

SOURCE: Final = "lspet"
LICENCE: Final = "none stated: research only"


def training_samples(folder: Path, *, research: bool = False) -> Iterator[PoseSample]:
    """The photos one by one, for a network that will not ship.

    Args:
        research: says so. Without it the data set refuses.

    Raises:
        LabelsError: the folder cannot be read.
        NotForTraining: it was not said.
    """
    labels = read_folder(folder)
    if not research:
        raise NotForTraining(
            f"{labels.name}: research only ({labels.terms}); pass research=True and do not ship what "
            "is trained"
        )
    return samples_of(labels.frames, SOURCE, LICENCE)


def evaluation_samples(folder: Path) -> Iterator[PoseSample]:
    """All photos.

    Raises:
        LabelsError: the folder cannot be read.
    """
    return samples_of(read_folder(folder).frames, SOURCE, LICENCE, fewest_joints=0)
