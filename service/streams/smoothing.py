"""Poses that do not tremble: root and relative pose smoothed apart, each by how far it can be trusted.

The root is smoothed as a direction and a distance. A single camera knows the one well and the other badly; smoothed as
X, Y, Z, the trembling distance would either drag the person along the ray or hold them back across it.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from models.arrays import Floats, Indices
from models.records import Person, Pose
from models.skeleton import JOINTS
from service.streams.one_euro import OneEuro, Smoothed

RELATIVE = OneEuro(min_cutoff_hz=1.0, slope_hz_per_speed=0.006, rest_speed=150.0)
"""Joints relative to the root, mm."""
DIRECTION = OneEuro(min_cutoff_hz=1.5, slope_hz_per_speed=20.0, rest_speed=0.02)
"""X / Z and Y / Z of the root."""
DISTANCE = OneEuro(min_cutoff_hz=0.4, slope_hz_per_speed=5.0, rest_speed=0.15)
"""Logarithm of the root's Z."""
PICTURE = OneEuro(min_cutoff_hz=2.0, slope_hz_per_speed=12.0, rest_speed=0.1)
"""Joints in the picture, in square roots of the body's box."""

GAP_S = 1.5
"""A person out of sight for longer starts anew: by then the filters would only drag in an old pose."""

SHARP_MM, SHARP_ROOT_MM = 40.0, 150.0
"""Sigmas of a joint and of a root that are smoothed with just the cutoffs above."""

TRUST = (0.2, 2.0)
"""Bounds of the factor by which a sigma lowers or raises a minimum cutoff. What is hardly seen has been weighed against
what was seen before by then (`models/reuse`); smoothed much more, it would only lag."""


class PoseSmoother:
    """Owns the filters of one stream: a row for each track, in the tracker's order."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """The next pose of everyone is taken as it comes."""
        self._seen_s = np.zeros(0)
        self._relative, self._picture = Smoothed.empty(JOINTS, 3), Smoothed.empty(JOINTS, 2)
        self._direction, self._distance = Smoothed.empty(1, 2), Smoothed.empty(1, 1)

    def smoothed(self, people: Sequence[Person], rows: Indices, time_s: float) -> list[Pose]:
        """The poses of the next frame; `rows` as in `tracking.Identities`."""
        elapsed = self._advanced(len(people), rows, time_s)
        poses = [person.pose for person in people]
        roots = _rows(len(rows), [pose.root_mm for pose in poses], (1, 3))
        depth = np.maximum(roots[..., 2:], 1.0)
        sigma = _rows(len(rows), [pose.sigma_mm for pose in poses], (JOINTS,))
        root_sigma = _rows(len(rows), [pose.root_sigma_mm for pose in poses], (1,))
        scores = _rows(len(rows), [pose.joint_scores for pose in poses], (JOINTS,))
        size = _rows(len(rows), [np.sqrt(person.box_xywh_px[2:].prod()) for person in people], (1,))
        self._relative = RELATIVE.step(
            self._relative.taken(rows), _rows(len(rows), [pose.joints_rel_mm for pose in poses], (JOINTS, 3)), elapsed,
            trust=_trust(SHARP_MM, sigma))
        self._picture = PICTURE.step(
            self._picture.taken(rows), _rows(len(rows), [pose.joints_px for pose in poses], (JOINTS, 2)), elapsed,
            trust=np.clip(scores, *TRUST), unit=np.maximum(size, 1.0))
        self._direction = DIRECTION.step(self._direction.taken(rows), roots[..., :2] / depth, elapsed)
        self._distance = DISTANCE.step(
            self._distance.taken(rows), np.log(depth), elapsed, trust=_trust(SHARP_ROOT_MM, root_sigma))
        return [self._pose(row, pose) for row, pose in enumerate(poses)]

    def _advanced(self, count: int, rows: Indices, time_s: float) -> Floats:
        """[T] seconds since each row was last seen: infinite to start anew, none for who is not in this frame."""
        seen = np.where(rows < 0, -np.inf, np.append(self._seen_s, -np.inf)[rows])
        elapsed = np.where(time_s - seen > GAP_S, np.inf, time_s - seen)
        elapsed[count:] = 0.0
        seen[:count] = time_s
        self._seen_s = seen
        return elapsed

    def _pose(self, row: int, pose: Pose) -> Pose:
        depth = np.exp(self._distance.values[row, 0])
        root = np.append(self._direction.values[row, 0], 1.0) * depth
        return replace(pose, joints_px=self._picture.values[row], joints_rel_mm=self._relative.values[row],
                       root_mm=root)


def _rows(rows: int, values: Sequence[Floats] | Sequence[float], shape: tuple[int, ...]) -> Floats:
    """[T, *shape] the people's values on top; the rows of who is not in this frame are not looked at."""
    column = np.ones((rows, *shape))
    if values:
        column[: len(values)] = np.reshape(values, (len(values), *shape))
    return column


def _trust(sharp_mm: float, sigma_mm: Floats) -> Floats:
    return np.clip(sharp_mm / np.maximum(sigma_mm, 1e-3), *TRUST)
