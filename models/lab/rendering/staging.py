"""Draws rooms and light round people who have their places."""

from collections.abc import Mapping
from typing import Final, NamedTuple

import numpy as np

from posecascade.models.arrays import Floats, Indices
from posecascade.models.lab.rendering.scene import Light, Room

_FLOORS: Final = ("planks", "tiles", "carpet", "asphalt", "plaster")
_BACK_WALLS: Final = ("plaster", "bricks", "stripes", "shelf", "plaid")
_SIDE_WALLS: Final = ("plaster", "bricks", "carpet")
_WARM: Final = np.array([1, 0.93, 0.82])
_FREE_M: Final = 1e5
"""Spheres beyond it belong to slots that stayed empty."""


class Staging(NamedTuple):
    """Rooms, light and tone of B scenes."""

    room: Room
    light: Light
    tone: Floats


def draw_staging(
    rng: np.random.Generator,
    spheres_m: Floats,
    eye_m: Floats,
    surfaces: Mapping[str, list[int]],
    environments: Indices,
) -> Staging:
    """Rooms about the spheres [B, S, T, 22, 3] of the people and eyes at heights [B].

    The generator is asked in this order: equal seeds give equal scenes only while it stays.
    """
    count = len(eye_m)

    def surface(kinds: tuple[str, ...]) -> Indices:
        return rng.choice([layer for kind in kinds for layer in surfaces[kind]], count)

    back = surface(_BACK_WALLS)
    side = surface(_SIDE_WALLS)
    elevation = rng.uniform(0.45, 1.4, count)
    azimuth = rng.uniform(-np.pi, np.pi, count)
    reach = np.where(spheres_m < _FREE_M, spheres_m, 0)
    width = np.maximum(
        np.abs(reach[..., 0]).max((1, 2, 3)) + rng.uniform(0.4, 2.5, count), 1.6
    )
    depth = np.maximum(reach[..., 2].max((1, 2, 3)), 1.5) + rng.uniform(0.4, 5, count)
    height = np.maximum(rng.uniform(2.4, 4, count), eye_m + 0.2)
    layers = np.stack([surface(_FLOORS), side, back, side], 1)
    tint = rng.uniform(0.55, 1.15, (count, 3, 1)) * rng.uniform(
        0.93, 1.07, (count, 3, 3)
    )
    room = Room(width, depth, height, layers, tint, rng.uniform(0.3, 1.2, (count, 2)))
    environment = rng.choice(environments, count)
    turn = rng.uniform(0, 2 * np.pi, count)
    tone = rng.uniform(0.75, 1.2, count)
    light = Light(
        environment=environment,
        environment_yaw_rad=turn,
        sun=_direction(elevation, azimuth),
        sun_rgb=_WARM * rng.uniform(0.2, 2.6, (count, 1)),
        ambient=rng.uniform(0.5, 1.15, count),
        exposure=np.exp(rng.normal(0, 0.25, count)),
    )
    return Staging(room, light, tone)


def _direction(elevation_rad: Floats, azimuth_rad: Floats) -> Floats:
    level = np.cos(elevation_rad)
    return np.stack(
        [
            level * np.sin(azimuth_rad),
            np.sin(elevation_rad),
            level * np.cos(azimuth_rad),
        ],
        1,
    )
