"""Readings of the training pictures by a stage's picture network, stored with the truth.

The picture networks are frozen, so each picture is read once and the heads train on the readings.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from posecascade.models.lab.networks.readout import Reading

Columns = dict[str, NDArray[Any]]
"""One row a person, see `COLUMNS`."""

COLUMNS = {
    "joints_px": (17, 2),
    "scores": (17,),
    "regressed_px": (17, 2),
    "center_score": (),
    "depths_m": (25,),
    "intrinsics": (4,),
    "true_px": (25, 2),
    "true_rel_mm": (25, 3),
    "true_root_mm": (3,),
    "has_px": (25,),
    "has_mm": (25,),
    "inside": (25,),
    "size_px": (),
    "is_person": (),
    "sample": (),
    "person": (),
    "window": (3,),
}
"""Shape of a row. Reading and camera are in the network's pixels and axes; `has_px` and `has_mm` say what is
labelled; `inside` 1 where the joint lies in the picture; `size_px` the root of the person's box area; `is_person` 1,
0 for a false positive; `sample` and `person` index the picture of the shard and the person in it (-1: none);
`window` x, y and scale lead back to the frame."""


class ReadingStore:
    """Shards of columns in a folder; written once, read whole."""

    def __init__(self, folder: Path):
        self.folder = folder

    def has(self, shard: str) -> bool:
        return self._path(shard).exists()

    def write(self, shard: str, columns: Columns) -> None:
        """Whole or not at all: a killed run leaves no half shard."""
        rows = {len(values) for values in columns.values()}
        if set(columns) != set(COLUMNS) or len(rows) != 1:
            raise ValueError(
                f"want columns {sorted(COLUMNS)} of one length, got {sorted(columns)} of {rows}"
            )
        self.folder.mkdir(parents=True, exist_ok=True)
        partial = self._path(shard).with_suffix(".partial.npz")
        single: dict[str, Any] = {
            name: values.astype(np.float32) for name, values in columns.items()
        }
        np.savez(partial, **single)
        partial.rename(self._path(shard))

    def read(self, shard: str) -> Columns:
        """One shard's columns."""
        with np.load(self._path(shard)) as saved:
            return dict(saved)

    def load(self, shards: Sequence[str]) -> dict[str, torch.Tensor]:
        """Those shards as one table.

        Raises:
            ValueError: one of them is not there.
        """
        missing = [shard for shard in shards if not self.has(shard)]
        if missing or not shards:
            raise ValueError(
                f"{self.folder} lacks readings {missing[:3]}: train the stages in order, on no more frames"
            )
        parts = [self.read(shard) for shard in shards]
        return {
            name: torch.from_numpy(np.concatenate([part[name] for part in parts]))
            for name in COLUMNS
        }

    def _path(self, shard: str) -> Path:
        return self.folder / f"{shard}.npz"


def reading_of(
    table: dict[str, torch.Tensor], rows: torch.Tensor | slice = slice(None)
) -> Reading:
    """Rows of a table as the head takes them."""
    return Reading(**{name: table[name][rows].float() for name in Reading._fields})


def joined(parts: Iterable[Columns]) -> Columns:
    """Tables one below the other."""
    some = list(parts)
    return {name: np.concatenate([part[name] for part in some]) for name in COLUMNS}
