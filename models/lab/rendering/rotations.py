"""Quaternions [..., 4] = (w, x, y, z) in torch, for posing bodies on the device."""

import torch
from torch import Tensor


def to_matrix(q: Tensor) -> Tensor:
    """[..., 4] of any length -> rotation matrices [..., 3, 3]."""
    q = q / q.norm(dim=-1, keepdim=True).clamp_min(1e-8)
    w, x, y, z = q.unbind(-1)
    rows = [
        1 - 2 * (y * y + z * z),
        2 * (x * y - w * z),
        2 * (x * z + w * y),
        2 * (x * y + w * z),
        1 - 2 * (x * x + z * z),
        2 * (y * z - w * x),
        2 * (x * z - w * y),
        2 * (y * z + w * x),
        1 - 2 * (x * x + y * y),
    ]
    return torch.stack(rows, -1).view((*q.shape[:-1], 3, 3))


def multiply(a: Tensor, b: Tensor) -> Tensor:
    """Hamilton product: first `b`, then `a`."""
    aw, ax, ay, az = a.unbind(-1)
    bw, bx, by, bz = b.unbind(-1)
    return torch.stack(
        [
            aw * bw - ax * bx - ay * by - az * bz,
            aw * bx + ax * bw + ay * bz - az * by,
            aw * by - ax * bz + ay * bw + az * bx,
            aw * bz + ax * by - ay * bx + az * bw,
        ],
        -1,
    )


def conjugate(q: Tensor) -> Tensor:
    return q * q.new_tensor([1, -1, -1, -1])


def blend(a: Tensor, b: Tensor, share: float) -> Tensor:
    """`a` to `b` by `share`, the short way round, normalised."""
    sign = torch.where((a * b).sum(-1, keepdim=True) < 0, -1.0, 1.0)
    mixed = a * (1 - share) + sign * b * share
    return mixed / mixed.norm(dim=-1, keepdim=True)


def about_axis(axis: int, angle_rad: Tensor) -> Tensor:
    """Rotations [..., 4] by angles [...] about a coordinate axis (0, 1, 2)."""
    turned = torch.zeros((*angle_rad.shape, 4), device=angle_rad.device)
    turned[..., 0] = torch.cos(angle_rad / 2)
    turned[..., 1 + axis] = torch.sin(angle_rad / 2)
    return turned


def _twist(q: Tensor, axis: int) -> Tensor:
    """The part of `q` that rolls about a coordinate axis (swing-twist decomposition)."""
    roll = torch.zeros_like(q)
    roll[..., 0] = q[..., 0]
    roll[..., 1 + axis] = q[..., 1 + axis]
    roll = roll / roll.norm(dim=-1, keepdim=True).clamp_min(1e-6)
    return torch.where(roll[..., :1] < 0, -roll, roll)


def half_twisted(
    parent: Tensor, child: Tensor, axis: int, *, swings: bool = True
) -> Tensor:
    """Rotation of a helper bone that takes half of the child's roll about the bone's axis.

    With `swings` it points where the child points (the near half of an upper arm); without, where the parent points
    (the far half of a forearm rolls with the hand and does not bend).
    """
    relative = multiply(conjugate(parent), child)
    twist = _twist(relative, axis)
    half = twist.clone()
    half[..., 0] += 1
    half = half / half.norm(dim=-1, keepdim=True)
    return multiply(
        parent, multiply(multiply(relative, conjugate(twist)), half) if swings else half
    )
