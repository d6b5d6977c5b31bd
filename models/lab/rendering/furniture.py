"""Draws boxes and tables that stand in the way of the camera, and in nobody's."""

from dataclasses import replace
from typing import Final

import numpy as np

from posecascade.models.arrays import Floats, Indices, Mask
from posecascade.models.lab.rendering.chance import mixture
from posecascade.models.lab.rendering.scene import Backdrop, Camera, Props
from posecascade.models.lab.rendering.volumes import RADIUS_M

_TRIES: Final = 6
_COUNTS: Final = (0.35, 0.3, 0.2, 0.15)
_HEIGHTS_M: Final = ((0.45, 0.35, 0.8), (0.4, 0.7, 1.2), (0.15, 2.4, 2.8))
_TALL_M: Final = 2
_TABLE_HALVES: Final = (0.75, 1, 0.52)
_BOX_HALVES: Final = (0.5, 1, 0.5)
"""Half of the footprint, and the whole height, in sizes."""


def furnished(
    rng: np.random.Generator,
    camera: Camera,
    backdrop: Indices,
    aim_m: Floats,
    spheres_m: Floats,
    surfaces: list[int],
) -> Props:
    """Props of B scenes.

    Args:
        aim_m: [B] how far away the people are.
        spheres_m: [B, S, T, 22, 3] the volumes of the people.
        surfaces: layers to cover them with.
    """
    count = rng.choice(4, len(backdrop), p=_COUNTS)
    photo = backdrop == Backdrop.PHOTO
    count[photo] = rng.random(photo.sum()) < 0.35
    props = _drawn(rng, np.repeat(np.arange(len(backdrop)), count), surfaces)
    far = np.maximum(aim_m * 1.3, 1.5)
    stands = np.zeros(len(props.frame), bool)
    for _ in range(_TRIES):
        waiting = np.flatnonzero(~stands)
        if not len(waiting):
            break
        at = _spots(
            rng, camera.fov_rad[props.frame[waiting]], far[props.frame[waiting]]
        )
        offered = replace(props.taken(waiting), at_m=at)
        free = _free(offered, spheres_m[offered.frame])
        props.at_m[waiting[free]] = at[free]
        stands[waiting[free]] = True
    return props.taken(stands)


def _drawn(rng: np.random.Generator, frame: Indices, surfaces: list[int]) -> Props:
    count = len(frame)
    height = mixture(rng, count, _HEIGHTS_M)
    tall = height > _TALL_M
    width = np.where(
        tall, 0.35, np.maximum(rng.uniform(0.15, 1.3, count), 0.6 * height)
    )
    depth = np.where(tall, 0.35, rng.uniform(0.2, 0.8, count))
    yaw = rng.uniform(-0.6, 0.6, count)
    table = (rng.random(count) < 0.45) & (height < 1.3)
    surface = rng.choice(surfaces, count)
    tint = rng.uniform(0.4, 1.1, (count, 1)) * rng.uniform(0.85, 1.15, (count, 3))
    return Props(
        frame,
        np.zeros((count, 3)),
        np.stack([width, height, depth], 1),
        yaw,
        table,
        surface,
        tint,
    )


def _spots(rng: np.random.Generator, fov_rad: Floats, far_m: Floats) -> Floats:
    """[N, 3] on the floor, in view."""
    count = len(far_m)
    distance = 0.8 + (far_m - 0.8) * rng.random(count)
    across = distance * np.tan(fov_rad / 2) * rng.uniform(-1.1, 1.1, count)
    return np.stack([across, np.zeros(count), distance], 1)


def _free(props: Props, spheres_m: Floats) -> Mask:
    """[N] which meet neither a sphere [N, S, T, 22, 3] of their scene nor the camera."""
    half = np.where(
        props.table[:, None], props.size_m * _TABLE_HALVES, props.size_m * _BOX_HALVES
    )
    cos = np.cos(props.yaw_rad)[:, None]
    sin = np.sin(props.yaw_rad)[:, None]
    x, y, z = np.moveaxis(
        spheres_m.reshape(len(half), -1, 3) - props.at_m[:, None], -1, 0
    )
    inside_out = np.stack([np.abs(x * cos - z * sin), y, np.abs(x * sin + z * cos)], -1)
    gap = np.maximum(inside_out - half[:, None], 0)
    radius = np.broadcast_to(RADIUS_M, spheres_m.shape[1:4]).reshape(-1)
    clear_of_people = ((gap**2).sum(-1) > (radius * 1.05) ** 2).all(1)
    from_camera = np.hypot(props.at_m[:, 0], props.at_m[:, 2])
    return clear_of_people & (from_camera > np.hypot(half[:, 0], half[:, 2]) + 0.25)
