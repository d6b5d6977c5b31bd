"""Where the renderer's assets live; they stay outside the repository (README.md lists them and their licences)."""

import os
from enum import StrEnum
from pathlib import Path
from typing import Final

from posecascade.models.lab.datasets.errors import MissingData

ENVIRONMENT: Final = "POSECASCADE_ASSETS"
"""Environment variable that names the folder."""

DEFAULT: Final = Path(__file__).resolve().parents[4] / "shared" / "synth" / "assets"
"""Beside the checkout, for those who set nothing."""

FILES: Final = (
    "people.npz",
    "textures.npz",
    "env.npz",
    "mocap_train.npz",
    "mocap_dev.npz",
    "photos.tsv",
)


class Split(StrEnum):
    """Which half of the bodies, clothes, motions and places: what is in one is never in the other."""

    TRAIN = "train"
    DEV = "dev"

    @property
    def seed(self) -> int:
        """Its part in the seed of every draw."""
        return list(Split).index(self)


def find_assets(folder: Path | None = None) -> Path:
    """The assets folder: the argument, else the environment variable, else the default beside the checkout.

    Raises:
        MissingData: one of the files is not there; names it and the three ways to point elsewhere.
    """
    found = folder or Path(os.environ.get(ENVIRONMENT) or DEFAULT)
    absent = [name for name in FILES if not (found / name).is_file()]
    if absent:
        raise MissingData(
            f"no {', '.join(absent)} in {found}: pass the assets folder or set {ENVIRONMENT} "
            "(models/lab/rendering/README.md says what belongs there)"
        )
    return found
