"""What is drawn before anything is rendered: a batch of scenes in columns, plain NumPy.

World: metres, y up, the floor at y = 0, the camera above the origin looking along +z (turned by its yaw).
"""

from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Any, Self, TypeVar

import numpy as np

from posecascade.models.arrays import Floats, Indices, Mask
from posecascade.models.lab.rendering.columns import Columns

Rows = TypeVar("Rows", "People", "Props")


class Backdrop(IntEnum):
    """What is behind the people."""

    ROOM = 0
    PANORAMA = 1
    PHOTO = 2


@dataclass(frozen=True, eq=False)
class Dye(Columns):
    """How one half of a garment is recoloured; linear colours, one row a person."""

    tint_rgb: Floats
    """[P, 3]"""
    amount: Floats
    """[P] 0 the garment's own texture, 1 dyed."""
    pattern: Floats
    """[P] 0 plain, 1 rings, 2 stripes, 3 checks."""
    frequency: Floats
    """[P] of the pattern, in waves over about a metre."""
    second_rgb: Floats
    """[P, 3] colour of the pattern."""


@dataclass(frozen=True, eq=False)
class Appearance(Columns):
    """Clothes, hair, colours and hands, one row a person; pieces are indices in the wardrobe, -1 none."""

    body: Indices
    suit: Indices
    shoes: Indices
    hair: Indices
    brow: Indices
    skin_rgb: Floats
    """[P, 3] as displayed."""
    hair_rgb: Floats
    """[P, 3] linear."""
    iris: Floats
    """[P] brightness."""
    shaved: Mask
    """[P] no hair shadow on the scalp."""
    gloss: Floats
    """[P] of the skin."""
    curl_rad: Floats
    """[P, 2] how far the fingers of the left and right hand bend."""
    top: Dye
    bottom: Dye
    shoe: Dye


@dataclass(frozen=True, eq=False)
class People(Columns):
    """P people of all scenes. Until `at_time` picks a moment, what moves has a time axis [P, T, ...]."""

    frame: Indices
    """[P] whose scene they are in."""
    identity: Indices
    """[P] stable within a sequence."""
    shape: Indices
    """[P] body in the shape space."""
    clip: Indices
    """[P] motion."""
    clip_seconds: Floats
    """[P] where in the clip the first moment is."""
    quat: Floats
    """[P, 23, 4] the pose."""
    path_m: Floats
    """[P, 3] how far they went since the first moment."""
    lift_m: Floats
    """[P] above the floor, in a jump."""
    at_m: Floats
    """[P, 3] where they stood in the first moment."""
    seated: Mask
    looks: Appearance

    def at_time(self, moment: int) -> Self:
        return replace(
            self,
            quat=self.quat[:, moment],
            path_m=self.path_m[:, moment],
            lift_m=self.lift_m[:, moment],
        )


@dataclass(frozen=True, eq=False)
class Props(Columns):
    """Q boxes and tables of all scenes."""

    frame: Indices
    at_m: Floats
    """[Q, 3] middle of the underside."""
    size_m: Floats
    """[Q, 3]"""
    yaw_rad: Floats
    table: Mask
    surface: Indices
    """[Q] layer of the atlas."""
    tint_rgb: Floats


@dataclass(frozen=True, eq=False)
class Room(Columns):
    """Four walls, one row a scene, drawn whether seen or not."""

    width_m: Floats
    """[B] from the middle to a side wall."""
    depth_m: Floats
    """[B] to the back wall."""
    height_m: Floats
    surface: Indices
    """[B, 4] of floor, ceiling, back wall, side walls."""
    tint_rgb: Floats
    """[B, 3, 3] of floor, back wall, side walls."""
    repeats: Floats
    """[B, 2] of the texture a metre, on the floor and on the walls."""


@dataclass(frozen=True, eq=False)
class Lens(Columns):
    """What the camera does to the picture, one row a scene. Lengths in 1/256 of a frame."""

    motion: Floats
    """Length of the smear, 0 none."""
    angle_rad: Floats
    people_only: Mask
    """The smear is theirs and the backdrop stays sharp."""
    defocus: Floats
    shot: Floats
    """Noise that grows with light."""
    read: Floats
    """Noise that does not."""
    chroma: Floats
    """Share of blotchy colour in the noise."""
    gamma: Floats
    white_balance: Floats
    """[B, 3]"""
    saturation: Floats
    scale: Floats
    """Resolution lost before coding; 1 none."""
    jpeg: Floats
    """Quality, 100 for uncompressed."""


@dataclass(frozen=True, eq=False)
class Camera(Columns):
    """Where the camera is and what it spans, one row a scene."""

    fov_rad: Floats
    height_m: Floats
    pitch_rad: Floats
    """Downwards."""
    roll_rad: Floats
    yaw_rad: Floats


@dataclass(frozen=True, eq=False)
class Light(Columns):
    """Sun and sky, one row a scene."""

    environment: Indices
    environment_yaw_rad: Floats
    sun: Floats
    """[B, 3] direction towards it."""
    sun_rgb: Floats
    ambient: Floats
    exposure: Floats


@dataclass(frozen=True, eq=False)
class Scenes(Columns):
    """B scenes and all who are in them."""

    camera: Camera
    backdrop: Indices
    photo: Indices
    crop_px: Floats
    """[B, 3] left, top and side of the square of the photo."""
    tone: Floats
    """[B] brightness of the photo."""
    room: Room
    light: Light
    lens: Lens
    people: People
    props: Props

    def __len__(self) -> int:
        return len(self.backdrop)

    def at_time(self, moment: int) -> Self:
        return replace(self, people=self.people.at_time(moment))

    def frames(self, first: int, last: int) -> Self:
        """Scenes `first` to `last` - 1 with their people and props, numbered from 0."""
        per_scene: dict[str, Any] = {
            name: value[first:last]
            if isinstance(value, np.ndarray)
            else value.taken(slice(first, last))
            for name, value in self._columns().items()
            if name not in ("people", "props")
        }
        return replace(
            self,
            **per_scene,
            people=_within(self.people, first, last),
            props=_within(self.props, first, last),
        )


def _within(rows: Rows, first: int, last: int) -> Rows:
    mine = rows.taken((rows.frame >= first) & (rows.frame < last))
    return replace(mine, frame=mine.frame - first)
