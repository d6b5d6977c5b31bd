"""How steady paths are, and how late: pure functions of arrays, as sums that add up over people and films.

P people, T frames, J joints, C coordinates; NaN where something is unknown.
"""

from typing import Final

import numpy as np
from scipy.interpolate import CubicSpline

from posecascade.models.arrays import Floats, Mask

WINDOW_S: Final = 0.5
"""In which a still joint should stay where it is."""


def windows(paths: Floats, length: int) -> Floats:
    """[P, T - length + 1, J, C, length] each stretch of so many frames of [P, T, J, C]; none where T is less."""
    if paths.shape[1] < length:
        return np.empty((len(paths), 0, *paths.shape[2:], length))
    return np.asarray(np.lib.stride_tricks.sliding_window_view(paths, length, axis=1))


def spread(stretches: Floats) -> Floats:
    """[...] mean squared distance of the points [..., C, W] from their mean, which costs one of the W points."""
    centred = stretches - stretches.mean(-1, keepdims=True)
    return np.asarray((centred**2).sum((-2, -1)) / (stretches.shape[-1] - 1))


def still(truth: Floats, length: int, within: float) -> Mask:
    """[P, T - length + 1, J] where a joint's root mean square distance from its mean place is at most `within`."""
    with np.errstate(invalid="ignore"):
        return np.asarray(spread(windows(truth, length)) <= within**2)


def trembling(predicted: Floats, truth: Floats, where: Mask, length: int) -> Floats:
    """[P, 3] what joints tremble in the stretches [P, T - length + 1, J] `where` the truth is still: the sum, the
    number of stretches, and the sum of the squares.

    Trembling is the error's root mean square distance from its own mean in the stretch: what the joint really moves is
    taken away, and so is what the system gets wrong in the same way all the while.
    """
    square = spread(windows(predicted - truth, length))
    where = where & np.isfinite(square)
    square = np.where(where, square, 0)
    return np.stack(
        [np.sqrt(square).sum((1, 2)), where.sum((1, 2)), square.sum((1, 2))], axis=1
    )


def acceleration_error(predicted: Floats, truth: Floats) -> Floats:
    """[P, 2] sum and number of |a - a_true|, a the second difference of three frames: units of the paths per frame^2.

    Source: Kanazawa et al., Learning 3D Human Dynamics from Video (HMMR), CVPR 2019; as in Kocabas et al., VIBE, CVPR
    2020, whose joints are relative to the pelvis too.
    """
    off = np.linalg.norm(
        np.diff(predicted - truth, n=2, axis=1), axis=-1
    )  # [P, T - 2, J]
    known = np.isfinite(off)
    return np.stack([np.where(known, off, 0).sum((1, 2)), known.sum((1, 2))], axis=1)


def mean_error(predicted: Floats, truth: Floats) -> Floats:
    """[P, 2] sum and number of |p - p_true|."""
    off = np.linalg.norm(predicted - truth, axis=-1)
    known = np.isfinite(off)
    return np.stack([np.where(known, off, 0).sum((1, 2)), known.sum((1, 2))], axis=1)


EARLIEST = -3
LATEST = 7
PER_FRAME = 4
SHIFTS: Final = np.arange(EARLIEST * PER_FRAME, LATEST * PER_FRAME + 1) / PER_FRAME
"""[D] frames by which the truth is held back, in quarters of a frame."""


def oks(predicted: Floats, truth: Floats, moves: float) -> Floats:
    """[P, 3, D] what correlates a system's paths with the truth held back by each of `SHIFTS`: <s, t>, <t, t>, <s, s>.

    Over every unbroken run of a joint that is long enough to spare the shifts and really moves; each path about its
    mean over the run, the truth between two frames by a cubic spline.

    Args:
        moves: least root mean square distance of a moving joint from its mean place.
    """
    sums = np.zeros((len(predicted), 3, len(SHIFTS)))
    known = np.asarray(
        np.isfinite(predicted).all(-1) & np.isfinite(truth).all(-1)
    )  # [P, T, J]
    for person, joint in np.ndindex(len(predicted), predicted.shape[2]):
        for first, last in runs(known[person, :, joint]):
            if last - first > 2 * (LATEST - EARLIEST):
                sums[person] += _of_run(
                    predicted[person, first:last, joint],
                    truth[person, first:last, joint],
                    moves,
                )
    return sums


def _of_run(predicted: Floats, truth: Floats, moves: float) -> Floats:
    """[3, D] of one joint [n, C]."""
    inner = np.arange(LATEST, len(truth) + EARLIEST)
    if spread(truth[inner].T) < moves**2:
        return np.zeros((3, len(SHIFTS)))
    ours = predicted[inner] - predicted[inner].mean(0)  # [m, C]
    held = CubicSpline(np.arange(len(truth)), truth)(
        inner - SHIFTS[:, None]
    )  # [D, m, C]
    held = held - held.mean(1, keepdims=True)
    return np.stack(
        [
            (held * ours).sum((1, 2)),
            (held**2).sum((1, 2)),
            np.full(len(SHIFTS), (ours**2).sum()),
        ]
    )


def lag_frames(sums: Floats) -> float:
    """Frames by which the system is late: where its correlation with the truth held back is the highest.

    Args:
        sums: [3, D] of `likeness`, added up.

    Returns:
        Between quarters of a frame by the parabola through the best and its neighbours; an end of `SHIFTS` where the
        best lies there or beyond; NaN where nothing moved.
    """
    if not (sums[1:] > 0).all():
        return np.nan
    correlation = sums[0] / np.sqrt(sums[1] * sums[2])
    best = int(correlation.argmax())
    if best in (0, len(SHIFTS) - 1):
        return float(SHIFTS[best])
    before, at, after = correlation[best - 1 : best + 2]
    bend = before - 2 * at + after
    return float(
        SHIFTS[best] + (0.5 * (before - after) / bend / PER_FRAME if bend < 0 else 0.0)
    )


def runs(known: Mask) -> list[tuple[int, int]]:
    """First and one past the last index of each unbroken run of True in [T]."""
    edges = np.flatnonzero(
        np.diff(np.concatenate([[False], known, [False]]).astype(int))
    )
    return [(int(first), int(last)) for first, last in edges.reshape(-1, 2)]
