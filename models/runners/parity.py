"""How far two executions of one stage lie apart, in the units people care about.

Slots of `coarse` may swap where two scores nearly tie, so people are compared with whoever lies nearest, not with
whoever has the same number.
"""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from posecascade.models.arrays import Floats
from posecascade.models.runners.base import Arrays


@dataclass(frozen=True, slots=True)
class Agreement:
    """Largest differences over the people compared."""

    people: int
    joints_mm: float
    """Of a joint relative to the pelvis."""
    joints_px: float
    root_mm: float
    """Of the pelvis's depth."""
    sigma_mm: float
    score: float
    """Of a person's or a joint's score."""

    def worst_of(self, other: "Agreement") -> "Agreement":
        """Both comparisons as one."""
        mine = asdict(self)
        theirs = asdict(other)
        worst = {name: max(mine[name], theirs[name]) for name in mine}
        return Agreement(**worst | {"people": self.people + other.people})


def agreement(want: Arrays, got: Arrays, *, min_score: float = 0.0) -> Agreement:
    """Compares the outputs of one batch; `min_score` leaves out the empty slots of `coarse` in `want`."""
    item, slot = np.nonzero(_slotted(want, "score") >= min_score)  # [P], [P]
    px = _slotted(got, "joints_px")[item]  # [P, S, 25, 2]
    place = _slotted(want, "joints_px")[item, slot]  # [P, 25, 2]
    nearest = np.linalg.norm(px - place[:, None], axis=-1).mean(-1).argmin(1)  # [P]

    def apart(name: str) -> Floats:
        difference: Floats = np.abs(
            _slotted(want, name)[item, slot] - _slotted(got, name)[item, nearest]
        )
        return difference

    return Agreement(
        people=len(item),
        joints_mm=_largest(np.linalg.norm(apart("joints_rel_mm"), axis=-1)),
        joints_px=_largest(np.linalg.norm(apart("joints_px"), axis=-1)),
        root_mm=_largest(apart("root_depth_mm")),
        sigma_mm=_largest(apart("sigma_mm")),
        score=max(_largest(apart("score")), _largest(apart("joint_scores"))),
    )


def _slotted(outputs: Arrays, name: str) -> NDArray[Any]:
    """[N, S, ...]: the deep stages answer for one person, S = 1."""
    array = outputs[name]
    return array if outputs["score"].ndim == 2 else array[:, None]


def _largest(distances: Floats) -> float:
    """NaN counts as infinitely far: no comparison with it would ever fail."""
    return float(np.nan_to_num(distances, nan=np.inf).max(initial=0.0))
