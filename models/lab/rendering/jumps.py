"""How far above their own floor the poses of a clip are: jumps keep their height when they are put elsewhere."""

from typing import Final

import numpy as np

from posecascade.models.arrays import Floats
from posecascade.models.lab.rendering.motions import Motions
from posecascade.models.lab.rendering.volumes import StickFigure

_SLACK_M: Final = 0.06
_HIGHEST_M: Final = 0.75
_HIGH_M: Final = 0.3
_MOSTLY: Final = 0.3
"""Share of high poses from which a clip climbs and does not jump: it then stays on the floor."""


def lifts(motions: Motions, figure: StickFigure) -> Floats:
    """[N] metres for all poses of all clips."""
    lowest = np.concatenate(
        [figure(part)[..., 1].min(1) for part in np.array_split(motions.quat, 8)]
    )
    clear = motions.root_m[:, 1] + lowest
    found = np.zeros(len(clear), np.float32)
    for first, last in zip(motions.start[:-1], motions.start[1:], strict=True):
        up = clear[first:last] - np.percentile(clear[first:last], 10) - _SLACK_M
        if np.mean(up > _HIGH_M) < _MOSTLY:
            found[first:last] = np.where(up < _HIGHEST_M, np.maximum(up, 0), 0)
    return found
