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
    """[P] the deep look of before, moved to now; the coarse look where nothing is remembered."""
    expected_mm: Floats
    """[P] how far `carried` is expected to be from a fresh deep look; 0 where nothing is remembered."""
    stage: Indices
    """[P] place in `Stage` of the stage that gave it; `known.NONE` where nothing is remembered."""
    due: Mask
    """[P] to be routed as if this were a single picture."""
    frames: Indices
    """[P] answered with that look so far, this one included; 0 where nothing is remembered."""
    inputs: Floats
    """[P, F] in the order of `deviation.INPUTS`; 0 where nothing is remembered."""
    extra_mm: Floats
    """[P] error that carrying is expected to add in this frame, see `carrying.extra_mm`."""
    spent_mm: Floats
    """[P] the same of the frames since the deep look, summed, without this one."""
    target_mm: float
    """Of `Options.reuse_target_mm`."""
    known: Known
    """Whom the memory knew: nobody after a cut."""
    owner: Indices
    """[P] the row in `known`; -1: new."""
    glimpse: Floats
    """Of the frame, see `reuse.scene`."""

    @property
    def has(self) -> Mask:
        """[P] where something is remembered."""
        return np.asarray(self.stage != NONE)

    def stages(self) -> list[Stage]:
        """[P] `stage` by name."""
        return [STAGES[place] for place in self.stage]
