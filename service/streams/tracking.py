"""Who is who over time: each person of a frame is given the id they had before, or a new one.

Pairs of tracks and people are chosen all at once, at the least total negative log-likelihood of three things: where the
root should be by now (in units of what track and person may err after the seconds that really went by), how the body is
held, and where the joints lie in the picture. Who was not seen for long is known only vaguely, and the likelihood of a
vague track is low everywhere: it does not take people from those who are in sight.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from models.arrays import Floats, Indices
from models.assignment import matched
from models.records import Camera, Person
from models.skeleton import JOINTS
from service.streams.motion import Motion

FORGET_S = (0.5, 3.0)
"""A track out of sight is kept for as long as it had been in sight, within these bounds; always for one more frame."""

MOST_LOST = 64
"""Tracks out of sight that are kept, the latest seen first: bounds the work where detections flicker."""

NEAR = 16.0
"""Squared Mahalanobis distance of 3 degrees of freedom that one pair of a thousand exceeds."""

ALIKE = 0.2
"""OKS from which a person lies on a track's joints wherever their root seems to be: depth may jump, pictures do not."""

STRANGER = 28.0
"""Negative logarithm of the density, per cubic millimetre and frame, of people who come in: one in twenty frames,
anywhere in 100 cubic metres. A track that expects its person no more exactly than that has lost them."""

JOINT_SPREAD = 0.2
"""Of a joint in the picture, in square roots of the body's box: COCO's k of the hip (2 x 0.107), for every joint."""

LIMB_MM_S, LIMB_MM = 1200.0, 400.0
"""How fast, and how far at most, joints move relative to the root."""

INDEPENDENT_JOINTS = 4
"""Joints move together: the 25 tell as much as so many independent ones."""


@dataclass(frozen=True, slots=True, eq=False)
class Sight:
    """People as they were seen, in columns."""

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
    def of(cls, people: Sequence[Person]) -> "Sight":
        """One row for each person."""
        poses, count = [person.pose for person in people], len(people)
        return cls(
            np.array([pose.root_mm for pose in poses], dtype=float).reshape(count, 3),
            np.array([pose.root_sigma_mm for pose in poses], dtype=float),
            np.array([pose.joints_px for pose in poses], dtype=float).reshape(count, JOINTS, 2),
            np.array([pose.joint_scores for pose in poses], dtype=float).reshape(count, JOINTS),
            np.array([pose.joints_rel_mm for pose in poses], dtype=float).reshape(count, JOINTS, 3),
            np.array([pose.sigma_mm for pose in poses], dtype=float).reshape(count, JOINTS),
            np.sqrt([float(person.box_xywh_px[2:].prod()) for person in people]),
        )

    def taken(self, rows: Indices) -> "Sight":
        """These rows, in this order."""
        return Sight(*(getattr(self, name)[rows] for name in self.__slots__))

    def followed_by(self, other: "Sight") -> "Sight":
        """Both, one under the other."""
        return Sight(*(np.concatenate([getattr(self, name), getattr(other, name)]) for name in self.__slots__))


@dataclass(frozen=True, slots=True, eq=False)
class Tracks:
    """Everyone known, in columns."""

    ids: Indices
    """[T]"""
    born_s: Floats
    """[T]"""
    seen_s: Floats
    """[T] when last in sight; `motion` and `sight` are of that time."""
    motion: Motion
    sight: Sight

    def taken(self, rows: Indices) -> "Tracks":
        """These rows, in this order."""
        return Tracks(self.ids[rows], self.born_s[rows], self.seen_s[rows], self.motion.taken(rows),
                      self.sight.taken(rows))


@dataclass(frozen=True, slots=True, eq=False)
class Identities:
    """What the tracker says of one frame of P people."""

    ids: Indices
    """[P]"""
    velocity_mm_s: Floats
    """[P, 3] of the root in camera space; zero for who is new."""
    rows: Indices
    """[T] the table after this frame, said in rows of the one before: the P people first, then who is out of sight;
    -1 for who is new. Whatever else is remembered of people is kept in step by it."""


_NEVER: Final = 1e3
"""Costlier than any possible pair: as many people as can be are given the id of a track."""


class Tracker:
    """Owns the identities of one stream."""

    def __init__(self) -> None:
        self._next_id = 0
        self.forget()

    def forget(self) -> None:
        """Nobody is known any more. Ids go on counting: none ever means two people."""
        nobody, nothing = Sight.of(()), np.zeros(0)
        motion = Motion.starting(nobody.roots_mm, nobody.root_sigma_mm)
        self._tracks = Tracks(np.zeros(0, dtype=np.intp), nothing, nothing, motion, nobody)
        self._last_s = -np.inf

    def follow(self, people: Sequence[Person], camera: Camera, time_s: float) -> Identities:
        """Identities of the people of the next frame. Time does not run backwards here."""
        known, seen = self._tracks, Sight.of(people)
        elapsed = time_s - known.seen_s
        ahead = known.motion.predicted(elapsed)
        tracks, found = matched(_unlikeliness(known, ahead, seen, elapsed, camera), _NEVER)
        again = ahead.taken(tracks).corrected(seen.roots_mm[found], seen.root_sigma_mm[found])
        motion = Motion.starting(seen.roots_mm, seen.root_sigma_mm).replaced(found, again)
        lost = self._remembered(np.delete(np.arange(len(known.ids)), tracks), time_s)
        before = np.full(len(people), -1)
        before[found] = tracks
        born = np.full(len(people), time_s)
        born[found] = known.born_s[tracks]
        self._keep(Tracks(self._ids(before), born, np.full(len(people), time_s), motion, seen), known.taken(lost))
        self._last_s = time_s
        return Identities(self._tracks.ids[: len(people)], motion.mean[:, 3:], np.concatenate([before, lost]))

    def _ids(self, before: Indices) -> Indices:
        """[P] the id of the row before, or the next free one."""
        new = before < 0
        ids = np.empty(len(before), dtype=np.intp)
        ids[~new] = self._tracks.ids[before[~new]]
        ids[new] = self._next_id + np.arange(new.sum())
        self._next_id += int(new.sum())
        return ids

    def _remembered(self, lost: Indices, time_s: float) -> Indices:
        """The rows of `lost` that may come back, the latest seen first."""
        known = self._tracks
        patience = np.clip(known.seen_s - known.born_s, *FORGET_S)
        may_come_back = (known.seen_s == self._last_s) | (time_s - known.seen_s <= patience)
        lost = lost[may_come_back[lost]]
        return lost[np.argsort(-known.seen_s[lost], kind="stable")][:MOST_LOST]

    def _keep(self, seen: Tracks, lost: Tracks) -> None:
        self._tracks = Tracks(
            np.concatenate([seen.ids, lost.ids]), np.concatenate([seen.born_s, lost.born_s]),
            np.concatenate([seen.seen_s, lost.seen_s]), seen.motion.followed_by(lost.motion),
            seen.sight.followed_by(lost.sight),
        )


def _unlikeliness(known: Tracks, ahead: Motion, seen: Sight, elapsed_s: Floats, camera: Camera) -> Floats:
    """[T, P] negative log-likelihood that the person is the track's; NaN where that is out of the question."""
    surprise, vagueness = ahead.surprise(seen.roots_mm, seen.root_sigma_mm)
    in_picture = _in_picture(known, ahead, seen, camera)
    in_space = (np.minimum(surprise, NEAR) + vagueness) / 2
    possible = ((surprise < NEAR) | (in_picture > ALIKE)) & (in_space < STRANGER)
    total = in_space + _of_the_body(known.sight, seen, elapsed_s) - 2 * np.log(np.maximum(in_picture, 0.02))
    return np.where(possible, total, np.nan)


def _of_the_body(known: Sight, seen: Sight, elapsed_s: Floats) -> Floats:
    """[T, P] negative log-likelihood of the pose relative to the root."""
    moved = np.minimum(LIMB_MM_S * np.maximum(elapsed_s, 0.0), LIMB_MM)[:, None, None]
    variance = np.square(known.sigma_mm)[:, None] + np.square(seen.sigma_mm) + np.square(moved) + 1.0  # [T, P, 25]
    away = np.square(known.joints_rel_mm[:, None] - seen.joints_rel_mm).sum(axis=-1)
    each: Floats = (away / variance + np.log(variance)).mean(axis=-1)
    return INDEPENDENT_JOINTS * each / 2


def _in_picture(known: Tracks, ahead: Motion, seen: Sight, camera: Camera) -> Floats:
    """[T, P] OKS of each person on each track's joints, shifted to where its root should be by now."""
    scale = camera.fx / np.maximum(ahead.mean[:, 2], 1.0)  # [T] pixels per mm
    shift = _projected(ahead.mean[:, :3], camera) - _projected(known.motion.mean[:, :3], camera)
    expected = known.sight.joints_px + shift[:, None]  # [T, 25, 2]
    away = np.square(expected[:, None] - seen.joints_px).sum(axis=-1)  # [T, P, 25]
    size = np.sqrt(known.sight.size_px[:, None] * seen.size_px)  # [T, P]
    spread = np.square(JOINT_SPREAD * size) + np.square(scale * ahead.lateral_sigma_mm)[:, None]
    weight = np.minimum(known.sight.joint_scores[:, None], seen.joint_scores) + 0.05  # a body all hidden still counts
    alike = np.exp(-away / (2 * np.maximum(spread, 1.0)[..., None]))
    similarity: Floats = (weight * alike).sum(axis=-1) / weight.sum(axis=-1)
    return similarity


def _projected(points_mm: Floats, camera: Camera) -> Floats:
    """[N, 2] pixels of [N, 3]; who has come behind the camera stays just before it."""
    focal, centre = np.array([camera.fx, camera.fy]), np.array([camera.cx, camera.cy])
    pixels: Floats = points_mm[:, :2] / np.maximum(points_mm[:, 2:], 1.0) * focal + centre
    return pixels
