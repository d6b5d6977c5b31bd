"""What a stream's memory says of a frame between the coarse look and the routing."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from models.arrays import Floats, Indices, Mask
from models.looks import Looks
from models.records import Stage
from models.reuse.known import NONE, Known
from models.routers.table import Past

STAGES: Final = tuple(Stage)


@dataclass(frozen=True, slots=True, eq=False)
class Recall:
    """Of the P people whom `coarse` found."""

    past: Past
    carried: Looks
    """[P] what was answered before, moved to now: a deep look, or else a coarse one; the coarse look of now where
    nothing is remembered."""
    expected_mm: Floats
    """[P] how far `carried` is expected to be from a fresh deep look; 0 where none is remembered."""
    stage: Indices
    """[P] place in `Stage` of the stage whose deep look is remembered; `known.NONE` where none is."""
    due: Mask
    """[P] to be routed as if this were a single picture; whoever is not keeps the carried look, or that of `coarse`."""
    frames: Indices
    """[P] answered with that look so far, this one included; 0 where none is remembered."""
    inputs: Floats
    """[P, F] in the order of `deviation.INPUTS`; 0 where none is remembered."""
    extra_mm: Floats
    """[P] error that carrying is expected to add in this frame, see `worth.carrying_mm`."""
    spent_mm: Floats
    """[P] the same of the frames since the deep look, summed, without this one."""
    target_mm: float
    """Of `Options.reuse_target_mm`."""
    known: Known
    """Whom the memory knew: nobody after a cut."""
    owner: Indices
    """[P] the row in `known`; -1: new."""
    covered: Floats
    """[P] share of the box that one other person covers. Strangers among known people do not count: most of them are
    second finds of somebody."""
    glimpse: Floats
    """Of the frame, see `reuse.scene`."""
    alone: bool
    """Nothing of before is to be in the frame's answer."""

    @property
    def has(self) -> Mask:
        """[P] where a deep look is remembered."""
        return np.asarray(self.stage != NONE)

    @property
    def shallow(self) -> Mask:
        """[P] who were answered by `coarse` before."""
        known = np.flatnonzero(self.owner >= 0)
        shallow = np.zeros(len(self.owner), bool)
        shallow[known] = self.known.stage[self.owner[known]] == NONE
        return shallow

    def stages(self) -> list[Stage]:
        """[P] `stage` by name."""
        return [STAGES[place] for place in self.stage]
