"""Quaternions [..., 4] = (w, x, y, z) in NumPy, for what is drawn before anything reaches a device."""

from typing import Final

import numpy as np

from posecascade.models.arrays import Floats

CONJUGATE: Final = np.array([1, -1, -1, -1], np.float32)
"""Multiply by it to invert a unit quaternion."""

MIRROR_X: Final = np.array([1, 1, -1, -1], np.float32)
"""Multiply by it to mirror a rotation in the plane x = 0."""


def multiply(a: Floats, b: Floats) -> Floats:
    """Hamilton product: first `b`, then `a`."""
    aw, ax, ay, az = np.moveaxis(a, -1, 0)
    bw, bx, by, bz = np.moveaxis(b, -1, 0)
    return np.stack(
        [
            aw * bw - ax * bx - ay * by - az * bz,
            aw * bx + ax * bw + ay * bz - az * by,
            aw * by - ax * bz + ay * bw + az * bx,
            aw * bz + ax * by - ay * bx + az * bw,
        ],
        -1,
    ).astype(np.float32)


def about_axis(axis: int, angle_rad: Floats) -> Floats:
    """Rotations [..., 4] by angles [...] about a coordinate axis (0, 1, 2)."""
    turned = np.zeros((*np.shape(angle_rad), 4), np.float32)
    turned[..., 0] = np.cos(np.asarray(angle_rad) / 2)
    turned[..., 1 + axis] = np.sin(np.asarray(angle_rad) / 2)
    return turned


def about_vector(vector_rad: Floats) -> Floats:
    """Rotations [..., 4] about vectors [..., 3] by the length of each."""
    angle = np.linalg.norm(vector_rad, axis=-1, keepdims=True)
    axis = vector_rad / np.maximum(angle, 1e-9)
    return np.concatenate([np.cos(angle / 2), axis * np.sin(angle / 2)], -1).astype(
        np.float32
    )


def rotate(q: Floats, v: Floats) -> Floats:
    """Vectors [..., 3] turned by quaternions [..., 4]."""
    w, x, y, z = np.moveaxis(q, -1, 0)
    a, b, c = np.moveaxis(v, -1, 0)
    t = 2 * (y * c - z * b)
    u = 2 * (z * a - x * c)
    r = 2 * (x * b - y * a)
    return np.stack(
        [
            a + w * t + y * r - z * u,
            b + w * u + z * t - x * r,
            c + w * r + x * u - y * t,
        ],
        -1,
    )


def blend(a: Floats, b: Floats, share: Floats) -> Floats:
    """`a` to `b` [..., 4] by `share` [..., 1], the short way round, normalised."""
    sign = np.where((a * b).sum(-1, keepdims=True) < 0, -1, 1)
    mixed = a * (1 - share) + sign * b * share
    return (mixed / np.linalg.norm(mixed, axis=-1, keepdims=True)).astype(np.float32)
