"""Motion-capture clips: global joint rotations over time, root paths, and how high above their own floor they are."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from posecascade.models.arrays import Floats, Indices
from posecascade.models.lab.rendering import quaternions

_FPS: Final = 15.0
_SLOW_FPS: Final = 7.5
_LONG_CLIP: Final = 150
"""Poses beyond which a clip weighs no more: long clips do not drown short ones."""

_WALKING_WEIGHT: Final = 0.25
"""Most of the clips walk."""


class Moment(NamedTuple):
    """Poses at N moments: quat [N, 23, 4], root_m [N, 3]."""

    quat: Floats
    root_m: Floats


def _is_walk(clip: str) -> bool:
    return "walking" in clip or clip[:2] in ("07", "08")


@dataclass(frozen=True, slots=True, eq=False)
class Motions:
    """All clips of one split, end to end."""

    quat: Floats
    """[N, 23, 4] unit quaternions."""

    root_m: Floats
    """[N, 3] the hips in the clip's own space."""

    start: Indices
    """[C + 1] where each clip begins; the last is N."""

    fps: Floats
    """[C]"""

    weight: Floats
    """[C] probability that a random person moves as in this clip."""

    clip: tuple[str, ...]
    """[C] recordings by name: "subject_trial" of the archive."""

    @classmethod
    def load(cls, path: Path) -> "Motions":
        with np.load(path) as stored:
            quat = stored["quat"].astype(np.float32)
            root_m = stored["root"].astype(np.float32)
            start = stored["start"]
            clip = tuple(map(str, stored["clip"]))
        weight = np.minimum(np.diff(start), _LONG_CLIP).astype(float)
        weight *= np.array([_WALKING_WEIGHT if _is_walk(name) else 1 for name in clip])
        fps = np.array(
            [_SLOW_FPS if "walking_extra" in name else _FPS for name in clip]
        )
        return cls(
            quat / np.linalg.norm(quat, axis=2, keepdims=True),
            root_m,
            start,
            fps,
            weight / weight.sum(),
            clip,
        )

    def seconds(self, clip: Indices) -> Floats:
        """[N] length of clips [N]."""
        return (self.start[clip + 1] - self.start[clip] - 1) / self.fps[clip]

    def at(self, clip: Indices, seconds: Floats) -> Moment:
        """Poses [N] at times [N] into clips [N]; a clip stops at its end."""
        before, after, share = self._between(clip, seconds)
        quat = quaternions.blend(
            self.quat[before], self.quat[after], share[:, None, None]
        )
        return Moment(quat, _lerp(self.root_m, before, after, share))

    def values_at(self, values: Floats, clip: Indices, seconds: Floats) -> Floats:
        """[N] of anything [all poses] at times [N] into clips [N]."""
        return _lerp(values, *self._between(clip, seconds))

    def _between(
        self, clip: Indices, seconds: Floats
    ) -> tuple[Indices, Indices, Floats]:
        last = self.start[clip + 1] - 1
        exact = np.minimum(self.start[clip] + seconds * self.fps[clip], last)
        before = np.floor(exact).astype(int)
        return before, np.minimum(before + 1, last), (exact - before).astype(np.float32)


def _lerp(values: Floats, before: Indices, after: Indices, share: Floats) -> Floats:
    share = share.reshape(-1, *(1,) * (values.ndim - 1))
    return values[before] * (1 - share) + values[after] * share
