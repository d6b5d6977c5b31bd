"""From what a memory said of a frame and what the frame was answered to what the memory knows next."""

from dataclasses import fields, replace
from typing import Any, Final

import numpy as np

from models.arrays import Floats, Indices, Mask
from models.looks import COLUMNS, Looks
from models.reuse import sides
from models.reuse.carrying import corrections, deviation_mm, extra_mm
from models.reuse.clock import UNTRIED_S, adapted
from models.reuse.known import NONE, Known
from models.reuse.recall import Recall
from models.skeleton import JOINTS

MOST: Final = 64
"""People that are remembered: those of the last frame first."""

NEW_SHARE: Final = 0.5
"""Of the newest deep look in the mean correction: a single one is as noisy as both of its looks."""


def learned(recall: Recall, coarse: Looks, answer: Looks, settled: Looks, fresh: Mask, held: Mask, stage: Indices,
            time_s: float) -> Known:
    """Everybody of the frame, and after them those who were not found in it.

    Args:
        recall: what was said of the frame.
        coarse, answer: [P] the first look and the last one.
        settled: [P] what the stream was answered, see `Memory.learn`.
        fresh: [P] answered by a deep look at this frame.
        held: [P] answered by the carried look.
        stage: [P] place in `Stage` of the stage that answered.
        time_s: of the frame.
    """
    coarse = sides.like(coarse, answer.rel_mm)
    before = _before(recall, coarse, time_s)
    again = fresh & recall.has
    compared = adapted(before.interval_s, extra_mm(deviation_mm(recall.carried, answer), answer), recall.target_mm)
    share = np.where(again, NEW_SHARE, 1.0)
    px, mm, depth = (_picked(fresh, old + _wide(share, new) * (new - old), old) for new, old in zip(
        corrections(answer, coarse), (before.offset_px, before.offset_mm, before.offset_depth), strict=True))
    now = replace(
        before, seen_s=np.full(len(coarse), time_s), coarse=coarse,
        velocity_px_s=_velocity(before, coarse, time_s), kept=_looks(held, recall.carried, settled),
        stage=np.where(fresh | held, stage, NONE), deep_s=_picked(fresh, np.full(len(coarse), time_s), before.deep_s),
        key_mm=_picked(fresh, coarse.rel_mm, before.key_mm),
        key_overlap=_picked(fresh, recall.covered, before.key_overlap), offset_px=px, offset_mm=mm,
        offset_depth=depth, interval_s=np.where(again, compared, np.where(held, before.interval_s, UNTRIED_S)),
        looks=np.where(fresh | held, np.where(recall.has, before.looks, 0) + fresh, 0),
        frames=np.where(held, recall.frames, 0), spent_mm=np.where(held, recall.spent_mm + recall.extra_mm, 0.0))
    lost = np.setdiff1d(np.arange(len(recall.known)), recall.owner)
    everybody = now[np.flatnonzero(_sound(now))].followed_by(recall.known[lost])
    return everybody[np.arange(min(MOST, len(everybody)))]


def _before(recall: Recall, coarse: Looks, time_s: float) -> Known:
    """[P] what was known of these people; of the new ones, that they stand where they are."""
    count, joints = len(coarse), (len(coarse), JOINTS)
    zero, nothing = np.zeros(count), np.zeros(count, np.intp)
    new = Known(np.full(count, time_s), coarse, np.zeros((count, 2)), coarse, nothing, zero,
                coarse.rel_mm, zero, np.zeros((*joints, 2)), np.zeros((*joints, 3)), zero,
                np.full(count, UNTRIED_S), nothing, nothing, zero)
    place = np.where(recall.owner >= 0, recall.owner, len(recall.known) + np.arange(count))
    return recall.known.followed_by(new)[place]


def _velocity(before: Known, coarse: Looks, time_s: float) -> Floats:
    """[P, 2] of the body's middle, the mean of the last few frames' so that a trembling box does not fly off."""
    elapsed = np.maximum(time_s - before.seen_s, 1e-3)[:, None]
    stepped = (coarse.joints_px.mean(1) - before.coarse.joints_px.mean(1)) / elapsed
    velocity: Floats = (before.velocity_px_s + stepped) / 2
    return velocity


def _sound(known: Known) -> Mask:
    """[K] with nothing but finite numbers: a network that says NaN is forgotten."""
    looks = [getattr(one, name) for one in (known.coarse, known.kept) for name in COLUMNS]
    rest = [getattr(known, column.name) for column in fields(known) if column.name not in ("coarse", "kept")]
    finite = [np.isfinite(values).all(tuple(range(1, values.ndim))) for values in (*looks, *rest)]
    return np.asarray(np.logical_and.reduce(finite), bool)


def _looks(where: Mask, one: Looks, other: Looks) -> Looks:
    """[P] `one` where `where`, else `other`."""
    return Looks(*(_picked(where, getattr(one, name), getattr(other, name)) for name in COLUMNS))


def _picked(where: Mask, one: Any, other: Any) -> Any:
    picked = other.copy()
    picked[where] = one[where]
    return picked


def _wide(values: Any, like: Floats) -> Any:
    """[P, 1, ...] of [P], to go with `like` [P, ...]."""
    return values.reshape(-1, *[1] * (like.ndim - 1))
