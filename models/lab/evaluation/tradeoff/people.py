"""Whom policies are compared on: the labelled people of recorded tables, with what every route would leave of each."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from posecascade.models.arrays import Floats, Indices, Mask
from posecascade.models.lab.scoring.difficulty import HARDEST
from posecascade.models.lab.scoring.matching import LIMBS
from posecascade.models.lab.scoring.metrics import PCK2D, PCK3D_MM
from posecascade.models.lab.scoring.recorded import Recorded

EVERYBODY = "all"
HARDEST_THIRD = "hardest third"


@dataclass(frozen=True, slots=True, eq=False)
class People:
    """N people, R routes. Who was not found by `coarse` is nobody's gain or loss, and is left out."""

    name: str
    table: Recorded
    rows: Indices
    """[N] place of each in the table that the group was taken from."""
    in_3d: bool
    error: Floats
    """[N, R] mean over the limb joints: mm, or hundredths of the body's size where `in_3d` is false."""
    right_3d: Floats
    """[N, R] limb joints within `PCK3D_MM`; zeros where `in_3d` is false."""
    right_2d: Floats
    """[N, R] limb joints within `PCK2D` sizes in the picture."""
    joints_3d: Floats
    """[N] limb joints that have a truth in 3D."""
    joints_2d: Floats
    """[N] limb joints that are marked in the picture."""
    unit: Indices
    """[N] number of the film, moment or picture; people of one depend on each other."""

    def __len__(self) -> int:
        return len(self.error)

    def of(self, rows: Indices | Mask, name: str) -> "People":
        """These people under another name."""
        unit = np.unique(self.unit[rows], return_inverse=True)[1]
        return People(
            name,
            self.table.of(rows),
            self.rows[rows],
            self.in_3d,
            self.error[rows],
            self.right_3d[rows],
            self.right_2d[rows],
            self.joints_3d[rows],
            self.joints_2d[rows],
            unit,
        )

    @property
    def measure(self) -> str:
        """What `error` is called in a table."""
        return "MPJPE mm" if self.in_3d else "2D error, % of size"


def groups(table: Recorded) -> Iterator[People]:
    """Folders whose people are known in 3D, one by one; then all the others together, in 2D.

    Raises:
        ValueError: nobody in the table is labelled.
    """
    labelled = table.person >= 0
    deep = np.isfinite(table.limb_error_mm).all(1)
    in_3d = labelled & deep
    in_2d = labelled & ~deep & np.isfinite(table.error_2d).all(1)
    if not (in_3d | in_2d).any():
        raise ValueError(
            "want labelled people to judge by, got none: record labelled folders"
        )
    for folder in dict.fromkeys(table.folder[in_3d].tolist()):
        yield _people(
            folder, table, np.flatnonzero(in_3d & (table.folder == folder)), in_3d=True
        )
    if in_2d.any():
        yield _people(
            ", ".join(dict.fromkeys(table.folder[in_2d].tolist())),
            table,
            np.flatnonzero(in_2d),
            in_3d=False,
        )


def parts(people: People) -> dict[str, tuple[People, Indices]]:
    """Everybody, and the hardest third by the labels, each with their rows; small groups have no third."""
    hard = people.table.difficulty
    known = np.flatnonzero(np.isfinite(hard))
    third = np.sort(
        known[np.argsort(-hard[known], kind="stable")[: round(HARDEST * len(known))]]
    )
    found = {EVERYBODY: np.arange(len(people))} | (
        {HARDEST_THIRD: third} if len(third) else {}
    )
    return {
        part: (people.of(rows, f"{people.name}, {part}"), rows)
        for part, rows in found.items()
    }


def _people(name: str, whole: Recorded, rows: Indices, *, in_3d: bool) -> People:
    table = whole.of(rows)
    flat = table.errors_2d[:, :, LIMBS]
    deep = table.errors_mm[:, :, LIMBS]
    return People(
        name,
        table,
        rows,
        in_3d,
        table.limb_error_mm if in_3d else 100 * table.error_2d,
        right_3d=(deep < PCK3D_MM).sum(-1).astype(float),
        right_2d=(flat < PCK2D).sum(-1).astype(float),
        joints_3d=np.isfinite(deep[:, 0]).sum(-1).astype(float),
        joints_2d=np.isfinite(flat[:, 0]).sum(-1).astype(float),
        unit=table.units,
    )
