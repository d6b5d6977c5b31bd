"""Smoothing of poses: root and relative pose are filtered apart, each by its uncertainty.

The root is filtered as a direction and a distance, because a single camera knows the first well and the second badly.
Filtered as X, Y, Z, a jittering distance would make the root jitter along the ray, or lag across it.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from posecascade.models.arrays import Floats, Indices
from posecascade.models.records import Person, Pose
from posecascade.models.skeleton import JOINTS
from posecascade.models.tracking.one_euro import OneEuro, Smoothed

RELATIVE = OneEuro(min_cutoff_hz=1.0, slope_hz_per_speed=0.006, rest_speed=150.0)
"""Joints relative to the root, mm."""
DIRECTION = OneEuro(min_cutoff_hz=1.5, slope_hz_per_speed=20.0, rest_speed=0.02)
"""X / Z and Y / Z of the root."""
DISTANCE = OneEuro(min_cutoff_hz=0.4, slope_hz_per_speed=5.0, rest_speed=0.15)
"""Logarithm of the root's Z."""
IMAGE = OneEuro(min_cutoff_hz=2.0, slope_hz_per_speed=12.0, rest_speed=0.1)
"""Joints in the image, in square roots of the box area."""

GAP_S = 1.5
"""A person out of sight for longer starts anew: by then an old pose would only add lag."""

SHARP_MM = 40.0
SHARP_ROOT_MM = 150.0
"""Sigmas of a joint and of a root that are filtered at exactly the cutoffs above."""

TRUST = (0.2, 2.0)
"""Bounds of the factor by which a sigma lowers or raises a minimum cutoff. Joints of low confidence have already been
fused with earlier estimates (`models/tracking/reuse`); much more smoothing would only add lag."""


class PoseSmoother:
    """Owns the filters of one stream, one row a track, in the tracker's order."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Drops all filters: the next pose of everyone is passed through."""
        self._seen_s = np.zeros(0)
        self._relative = Smoothed.empty(JOINTS, 3)
        self._image = Smoothed.empty(JOINTS, 2)
        self._direction = Smoothed.empty(1, 2)
        self._distance = Smoothed.empty(1, 1)

    def smoothed(
        self, people: Sequence[Person], rows: Indices, time_s: float
    ) -> list[Pose]:
        """The smoothed poses of the next frame.

        Args:
            people: [P] of the frame.
            rows: [T] as in `tracker.Identities`.
            time_s: of the frame.
        """
        elapsed_s = self._advanced(len(people), rows, time_s)
        poses = [person.pose for person in people]
        self._smooth_relative(poses, rows, elapsed_s)
        self._smooth_image(people, rows, elapsed_s)
        self._smooth_root(poses, rows, elapsed_s)
        return [self._pose(row, pose) for row, pose in enumerate(poses)]

    def _smooth_relative(
        self, poses: Sequence[Pose], rows: Indices, elapsed_s: Floats
    ) -> None:
        joints = _rows(len(rows), [it.joints_rel_mm for it in poses], (JOINTS, 3))
        sigma = _rows(len(rows), [it.sigma_mm for it in poses], (JOINTS,))
        self._relative = RELATIVE.step(
            self._relative.taken(rows), joints, elapsed_s, trust=_trust(SHARP_MM, sigma)
        )

    def _smooth_image(
        self, people: Sequence[Person], rows: Indices, elapsed_s: Floats
    ) -> None:
        sizes = [np.sqrt(person.box_xywh_px[2:].prod()) for person in people]
        poses = [person.pose for person in people]
        size = _rows(len(rows), sizes, (1,))
        joints = _rows(len(rows), [it.joints_px for it in poses], (JOINTS, 2))
        scores = _rows(len(rows), [it.joint_scores for it in poses], (JOINTS,))
        self._image = IMAGE.step(
            self._image.taken(rows),
            joints,
            elapsed_s,
            trust=np.clip(scores, *TRUST),
            unit=np.maximum(size, 1.0),
        )

    def _smooth_root(
        self, poses: Sequence[Pose], rows: Indices, elapsed_s: Floats
    ) -> None:
        roots = _rows(len(rows), [it.root_mm for it in poses], (1, 3))
        sigma = _rows(len(rows), [it.root_sigma_mm for it in poses], (1,))
        depth = np.maximum(roots[..., 2:], 1.0)
        self._direction = DIRECTION.step(
            self._direction.taken(rows), roots[..., :2] / depth, elapsed_s
        )
        self._distance = DISTANCE.step(
            self._distance.taken(rows),
            np.log(depth),
            elapsed_s,
            trust=_trust(SHARP_ROOT_MM, sigma),
        )

    def _advanced(self, count: int, rows: Indices, time_s: float) -> Floats:
        """[T] seconds since each row was last seen: infinite to start anew, 0 for tracks that are not in this frame."""
        seen_s = np.append(self._seen_s, -np.inf)[rows]
        seen_s = np.where(rows < 0, -np.inf, seen_s)
        elapsed_s = time_s - seen_s
        elapsed_s = np.where(elapsed_s > GAP_S, np.inf, elapsed_s)
        elapsed_s[count:] = 0.0
        seen_s[:count] = time_s
        self._seen_s = seen_s
        return elapsed_s

    def _pose(self, row: int, pose: Pose) -> Pose:
        depth = np.exp(self._distance.values[row, 0])
        root = np.append(self._direction.values[row, 0], 1.0) * depth
        return replace(
            pose,
            joints_px=self._image.values[row],
            joints_rel_mm=self._relative.values[row],
            root_mm=root,
        )


def _rows(
    rows: int, values: Sequence[Floats] | Sequence[float], shape: tuple[int, ...]
) -> Floats:
    """[T, *shape] the values of the frame's people; ones for the other tracks, whose filters do not step."""
    column = np.ones((rows, *shape))
    if values:
        column[: len(values)] = np.reshape(values, (len(values), *shape))
    return column


def _trust(sharp_mm: float, sigma_mm: Floats) -> Floats:
    return np.clip(sharp_mm / np.maximum(sigma_mm, 1e-3), *TRUST)
