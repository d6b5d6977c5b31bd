"""Identities over time: each person of a frame keeps the id of their track, or starts a new one.

All pairs of tracks and people are assigned at once, at the least total negative log-likelihood of three things: the
root against its prediction, with the uncertainty of both; the body relative to the root; and the joints in the image.
A track that was not seen for long is uncertain, so its likelihood is low everywhere: it takes nobody from the tracks in
sight.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from posecascade.models.arrays import Floats, Indices
from posecascade.models.assignment import matched
from posecascade.models.records import Camera, Person
from posecascade.models.skeleton import JOINTS
from posecascade.models.tracking.kalman import Motion

MAX_COAST_S = (0.5, 3.0)
"""A lost track is kept for as long as it had been in sight, within these bounds, and always for one more frame."""

MAX_COASTING = 64
"""Lost tracks that are kept, the latest seen first: bounds the work where detections flicker."""

GATE_CHI2 = 16.0
"""Squared Mahalanobis distance, of 3 degrees of freedom, that one true pair in a thousand exceeds."""

MIN_OKS = 0.2
"""OKS from which a pair is feasible wherever the root seems to be: depth may jump, joints in the image do not."""

NEW_TRACK_NLL = 28.0
"""Negative log-density of new people, per cubic millimetre and frame: one in twenty frames, anywhere in 100 cubic
metres. A track whose prediction is no sharper than that has lost its person."""

JOINT_SPREAD = 0.2
"""Standard deviation of a joint in the image, in square roots of the box area: COCO's 2k of the hip (2 x 0.107)."""

LIMB_SPEED_MM_S = 1200.0
MAX_LIMB_MOTION_MM = 400.0
"""How fast, and how far at most, joints move relative to the root."""

INDEPENDENT_JOINTS = 4
"""Joints move together: the 25 carry as much information as this many independent ones."""


@dataclass(frozen=True, slots=True, eq=False)
class Observations:
    """The people of a frame, in columns."""

    roots_mm: Floats
    """[P, 3]"""
    root_sigma_mm: Floats
    """[P]"""
    joints_px: Floats
    """[P, 25, 2]"""
    joint_scores: Floats
    """[P, 25]"""
    joints_rel_mm: Floats
    """[P, 25, 3]"""
    sigma_mm: Floats
    """[P, 25]"""
    size_px: Floats
    """[P] square root of the box's area."""

    @classmethod
    def of(cls, people: Sequence[Person]) -> "Observations":
        """One row for each person."""
        poses = [person.pose for person in people]
        areas_px2 = [float(person.box_xywh_px[2:].prod()) for person in people]
        return cls(
            roots_mm=_column([pose.root_mm for pose in poses], 3),
            root_sigma_mm=_column([pose.root_sigma_mm for pose in poses]),
            joints_px=_column([pose.joints_px for pose in poses], JOINTS, 2),
            joint_scores=_column([pose.joint_scores for pose in poses], JOINTS),
            joints_rel_mm=_column([pose.joints_rel_mm for pose in poses], JOINTS, 3),
            sigma_mm=_column([pose.sigma_mm for pose in poses], JOINTS),
            size_px=np.sqrt(areas_px2),
        )

    def taken(self, rows: Indices) -> "Observations":
        """These rows, in this order."""
        return Observations(*(getattr(self, name)[rows] for name in self.__slots__))

    def followed_by(self, other: "Observations") -> "Observations":
        """The rows of both."""
        return Observations(
            *(
                np.concatenate([getattr(self, name), getattr(other, name)])
                for name in self.__slots__
            )
        )


@dataclass(frozen=True, slots=True, eq=False)
class Tracks:
    """The tracks of a stream, in columns."""

    ids: Indices
    """[T]"""
    born_s: Floats
    """[T]"""
    seen_s: Floats
    """[T] when last in sight; `motion` and `observed` are of that time."""
    motion: Motion
    observed: Observations

    def taken(self, rows: Indices) -> "Tracks":
        """These rows, in this order."""
        return Tracks(
            ids=self.ids[rows],
            born_s=self.born_s[rows],
            seen_s=self.seen_s[rows],
            motion=self.motion.taken(rows),
            observed=self.observed.taken(rows),
        )

    def followed_by(self, other: "Tracks") -> "Tracks":
        """The rows of both."""
        return Tracks(
            ids=np.concatenate([self.ids, other.ids]),
            born_s=np.concatenate([self.born_s, other.born_s]),
            seen_s=np.concatenate([self.seen_s, other.seen_s]),
            motion=self.motion.followed_by(other.motion),
            observed=self.observed.followed_by(other.observed),
        )


@dataclass(frozen=True, slots=True, eq=False)
class Identities:
    """The ids of one frame of P people."""

    ids: Indices
    """[P]"""
    velocity_mm_s: Floats
    """[P, 3] of the root in camera space; zero for a new track."""
    rows: Indices
    """[T] the row of each track in the table before this frame; -1: new. The P people come first, then lost tracks.
    Keeps other state of the tracks in step, such as filters."""


INFEASIBLE: Final = 1e3
"""Cost above that of any feasible pair, so that as many people as possible keep an id."""


class Tracker:
    """Owns the identities of one stream."""

    def __init__(self) -> None:
        self._next_id = 0
        self.forget()

    def forget(self) -> None:
        """Drops all tracks. Ids go on counting: none is ever used for two people."""
        nobody = Observations.of(())
        self._tracks = Tracks(
            ids=np.zeros(0, dtype=np.intp),
            born_s=np.zeros(0),
            seen_s=np.zeros(0),
            motion=Motion.starting(nobody.roots_mm, nobody.root_sigma_mm),
            observed=nobody,
        )
        self._last_s = -np.inf

    def follow(
        self, people: Sequence[Person], camera: Camera, time_s: float
    ) -> Identities:
        """Ids and velocities of the people of the next frame, which must not be earlier than the last one."""
        before = self._tracks
        observed = Observations.of(people)
        elapsed_s = time_s - before.seen_s
        predicted = before.motion.predicted(elapsed_s)
        cost = _negative_log_likelihood(before, predicted, observed, elapsed_s, camera)
        tracks, found = matched(cost, INFEASIBLE)
        lost = self._coasting(np.delete(np.arange(len(before.ids)), tracks), time_s)
        rows = np.full(len(people), -1)
        rows[found] = tracks
        born_s = np.full(len(people), time_s)
        born_s[found] = before.born_s[tracks]
        new_motion = Motion.starting(observed.roots_mm, observed.root_sigma_mm)
        corrected = predicted.taken(tracks).corrected(
            observed.roots_mm[found], observed.root_sigma_mm[found]
        )
        seen = Tracks(
            ids=self._ids(rows),
            born_s=born_s,
            seen_s=np.full(len(people), time_s),
            motion=new_motion.replaced(found, corrected),
            observed=observed,
        )
        self._tracks = seen.followed_by(before.taken(lost))
        self._last_s = time_s
        return Identities(
            ids=seen.ids,
            velocity_mm_s=seen.motion.mean[:, 3:],
            rows=np.concatenate([rows, lost]),
        )

    def _ids(self, rows: Indices) -> Indices:
        """[P] the id of each person's track, or the next free one."""
        is_new = rows < 0
        new_count = int(is_new.sum())
        ids = np.empty(len(rows), dtype=np.intp)
        ids[~is_new] = self._tracks.ids[rows[~is_new]]
        ids[is_new] = self._next_id + np.arange(new_count)
        self._next_id += new_count
        return ids

    def _coasting(self, lost: Indices, time_s: float) -> Indices:
        """The rows of `lost` that are kept, the latest seen first."""
        tracks = self._tracks
        unseen_s = time_s - tracks.seen_s
        max_unseen_s = np.clip(tracks.seen_s - tracks.born_s, *MAX_COAST_S)
        was_in_last_frame = tracks.seen_s == self._last_s
        is_kept = was_in_last_frame | (unseen_s <= max_unseen_s)
        lost = lost[is_kept[lost]]
        latest_first = np.argsort(-tracks.seen_s[lost], kind="stable")
        return lost[latest_first][:MAX_COASTING]


def _column(values: Sequence[Floats] | Sequence[float], *shape: int) -> Floats:
    """[P, *shape]"""
    return np.array(values, dtype=float).reshape(len(values), *shape)


def _negative_log_likelihood(
    tracks: Tracks,
    predicted: Motion,
    observed: Observations,
    elapsed_s: Floats,
    camera: Camera,
) -> Floats:
    """[T, P] that each person is the track's; NaN where that is infeasible."""
    mahalanobis2, log_volume = predicted.mahalanobis2(
        observed.roots_mm, observed.root_sigma_mm
    )
    oks = _oks(tracks, predicted, observed, camera)
    of_root = (np.minimum(mahalanobis2, GATE_CHI2) + log_volume) / 2
    of_body = _of_body(tracks.observed, observed, elapsed_s)
    of_image = -2 * np.log(np.maximum(oks, 0.02))
    is_near = (mahalanobis2 < GATE_CHI2) | (oks > MIN_OKS)
    is_feasible = is_near & (of_root < NEW_TRACK_NLL)
    return np.where(is_feasible, of_root + of_body + of_image, np.nan)


def _of_body(before: Observations, now: Observations, elapsed_s: Floats) -> Floats:
    """[T, P] negative log-likelihood of the body relative to the root."""
    reach_mm = LIMB_SPEED_MM_S * np.maximum(elapsed_s, 0.0)
    motion_mm = np.minimum(reach_mm, MAX_LIMB_MOTION_MM)[:, None, None]
    variance = (
        np.square(before.sigma_mm)[:, None]
        + np.square(now.sigma_mm)
        + np.square(motion_mm)
        + 1.0
    )  # [T, P, 25]
    difference_mm = before.joints_rel_mm[:, None] - now.joints_rel_mm
    distance2 = np.square(difference_mm).sum(axis=-1)
    per_joint: Floats = (distance2 / variance + np.log(variance)).mean(axis=-1)
    return INDEPENDENT_JOINTS * per_joint / 2


def _oks(
    tracks: Tracks, predicted: Motion, observed: Observations, camera: Camera
) -> Floats:
    """[T, P] OKS of each person and each track's joints, moved with its root to now.

    The uncertainty of the root across the ray widens the spread. A body that is hidden altogether still counts.
    """
    before = tracks.observed
    moved_px = _projected(predicted.mean[:, :3], camera) - _projected(
        tracks.motion.mean[:, :3], camera
    )
    expected_px = before.joints_px + moved_px[:, None]  # [T, 25, 2]
    difference_px = expected_px[:, None] - observed.joints_px
    distance2 = np.square(difference_px).sum(axis=-1)  # [T, P, 25]
    size_px = np.sqrt(before.size_px[:, None] * observed.size_px)  # [T, P]
    px_per_mm = camera.fx / np.maximum(predicted.mean[:, 2], 1.0)  # [T]
    root_sigma_px = px_per_mm * predicted.lateral_sigma_mm
    variance = np.square(JOINT_SPREAD * size_px) + np.square(root_sigma_px)[:, None]
    similarity = np.exp(-distance2 / (2 * np.maximum(variance, 1.0)[..., None]))
    score = np.minimum(before.joint_scores[:, None], observed.joint_scores)
    weight = score + 0.05
    oks: Floats = (weight * similarity).sum(axis=-1) / weight.sum(axis=-1)
    return oks


def _projected(points_mm: Floats, camera: Camera) -> Floats:
    """[N, 2] pixels of [N, 3]; a point behind the camera is taken to be just before it."""
    focal_px = np.array([camera.fx, camera.fy])
    centre_px = np.array([camera.cx, camera.cy])
    rays = points_mm[:, :2] / np.maximum(points_mm[:, 2:], 1.0)
    pixels: Floats = rays * focal_px + centre_px
    return pixels
