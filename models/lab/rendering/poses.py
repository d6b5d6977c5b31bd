"""What a scene does to a motion-capture pose [N, 23, 4] before it is put on a body: mirror, seat, lay down, disturb."""

from typing import Final

import numpy as np

from posecascade.models.arrays import Floats, Mask
from posecascade.models.lab.rendering.quaternions import (
    CONJUGATE,
    MIRROR_X,
    about_axis,
    multiply,
)
from posecascade.models.lab.rendering.rig import MOCAP, MOCAP_MIRROR, SIDES

_STIFF_RAD: Final = 0.02
"""Standard deviation of half the angle that every joint is off by."""


def heading(q: Floats) -> Floats:
    """Yaw [N] of the hips' forward axis about the vertical."""
    w, x, y, z = q[:, 0].T
    return np.arctan2(2 * (x * z + w * y), 1 - 2 * (x * x + y * y))


def turned(q: Floats, yaw_rad: Floats) -> Floats:
    """Poses [N, ..., 23, 4] turned about the vertical by [N]."""
    turn = about_axis(1, yaw_rad)
    return multiply(turn.reshape(len(turn), *(1,) * (q.ndim - 2), 4), q)


def mirrored(q: Floats, which: Mask) -> Floats:
    """Poses with left and right changed where `which` [N] says so."""
    out = q.copy()
    out[which] = q[which][:, MOCAP_MIRROR] * MIRROR_X
    return out


def seated(q: Floats, rng: np.random.Generator) -> Floats:
    """People on a seat: trunk upright, thighs level, shins down, arms as they were."""
    count = len(q)
    yaw = heading(q)
    q = turned(q, -yaw)
    upright = multiply(
        about_axis(0, rng.normal(0.05, 0.12, count)), q[:, MOCAP["Hips"]] * CONJUGATE
    )
    q = multiply(upright[:, None], q)  # carries the trunk along
    for side in SIDES:
        foot = about_axis(1, np.full(count, side.sign * 0.2))
        spread = about_axis(1, side.sign * rng.normal(0.18, 0.15, count))
        q[:, MOCAP[side.mocap + "UpLeg"]] = multiply(
            spread, about_axis(0, -np.pi / 2 + rng.normal(0.03, 0.12, count))
        )
        knee = about_axis(0, rng.normal(0, 0.25, count))
        q[:, MOCAP[side.mocap + "Leg"]] = multiply(
            about_axis(1, np.full(count, side.sign * 0.15)), knee
        )
        q[:, MOCAP[side.mocap + "Foot"]] = q[:, MOCAP[side.mocap + "ToeBase"]] = foot
    return turned(q, yaw)


def laid_down(q: Floats) -> Floats:
    """Poses [..., 23, 4] tipped onto the back."""
    return multiply(about_axis(0, np.array(np.pi / 2)), q)


def disturbance(count: int, rng: np.random.Generator) -> Floats:
    """[count, 23, 4] small random rotations (not normalised) to multiply poses with: no two people move alike."""
    off = np.ones((count, len(MOCAP), 4), np.float32)
    off[..., 1:] = rng.normal(0, _STIFF_RAD, (count, len(MOCAP), 3))
    return off
