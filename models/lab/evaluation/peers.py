"""Other people's pipelines as systems: a folder outside the repository with a `peers.py` that offers

    PEERS: dict[str, ...]
    load(name, threads=..., backend=...).run(image_bgr) -> list of people

A person is a dict of `names` [K], `keypoints2d` [K, 3] (x, y in pixels, score), `keypoints3d_m` [K, 3] or None, and
perhaps `score`. Nothing of it is copied here; where it or one of its weights is absent, the peer is skipped and the
table says why. The folder finds its weights by the environment variable POSE_WEIGHTS.
"""

import importlib
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np

from posecascade.models.arrays import Floats, Image
from posecascade.models.lab.scoring.answers import Guess
from posecascade.models.records import Camera
from posecascade.models.skeleton import BLAZE33, JOINT_NAMES, JOINTS

_RENAMED: Final = {
    name: JOINT_NAMES[ours]
    for name, ours in zip(BLAZE33.joints, BLAZE33.source, strict=True)
    if ours >= 0
}
"""BlazePose's names in ours; COCO's are ours already."""


@dataclass(frozen=True, slots=True)
class Peer:
    """One pipeline of the folder, as a `System`."""

    name: str
    pipeline: Any = field(repr=False)

    def people(self, image_bgr: Image, camera: Camera | None) -> list[Guess]:
        """No peer takes intrinsics: `camera` is not used."""
        return [guess_of(person) for person in self.pipeline.run(image_bgr)]


@dataclass(frozen=True, slots=True)
class Skipped:
    """A system that was asked for and cannot run here."""

    name: str
    reason: str


def load_peers(
    folder: Path, names: Sequence[str], *, threads: int, sample: Image
) -> tuple[list[Peer], list[Skipped]]:
    """The peers that run here, and why the others do not.

    Args:
        names: of the folder's table; empty: all of it.
        sample: a picture to run each on once, which shows whether it works.
    """
    if not (folder / "peers.py").is_file():
        return [], [
            Skipped(name, f"no peers.py in {folder}") for name in names or ("peers",)
        ]
    loaded = []
    skipped = []
    with _importable(folder):
        try:
            table = importlib.import_module("peers")
        except ImportError as absent:
            return [], [Skipped(name, str(absent)) for name in names or ("peers",)]
        for name in names or tuple(table.PEERS):
            try:
                loaded.append(_load(table, name, threads, sample))
            # Foreign code: whatever it raises (a package, a file, a name that is absent) only means "not here".
            except Exception as absent:
                skipped.append(
                    Skipped(name, f"{type(absent).__name__}: {absent}".splitlines()[0])
                )
    return loaded, skipped


def _load(table: Any, name: str, threads: int, sample: Image) -> Peer:
    pipeline = table.load(name, threads=threads)
    pipeline.run(sample)
    return Peer(name, pipeline)


@contextmanager
def _importable(folder: Path) -> Iterator[None]:
    """Lets the folder's modules import each other, then forgets their names: `common` or `crops` could be anyone's."""
    before = set(sys.modules)
    sys.path.insert(0, str(folder.resolve()))
    try:
        yield
    finally:
        sys.path.remove(str(folder.resolve()))
        own = {path.stem for path in folder.glob("*.py")}
        for name in (set(sys.modules) - before) & own:
            del sys.modules[name]


def guess_of(person: Mapping[str, Any]) -> Guess:
    """A peer's person in cascade25; joints that only one side has are dropped or NaN."""
    names = person["names"]
    points = np.asarray(person["keypoints2d"], np.float64)
    metres = person.get("keypoints3d_m")
    return Guess(
        joints_px=_columns(names, points[:, :2]),
        score=float(person.get("score", points[:, 2].mean())),
        joints_rel_mm=None
        if metres is None
        else _columns(names, 1000 * np.asarray(metres, np.float64)),
    )


def _columns(names: Sequence[str], values: Floats) -> Floats:
    """[25, C] of values [K, C] by name."""
    columns = np.full((JOINTS, values.shape[1]), np.nan)
    for name, row in zip(names, values, strict=True):
        ours = _RENAMED.get(name, name)
        if ours in JOINT_NAMES:
            columns[JOINT_NAMES.index(ours)] = row
    return columns
