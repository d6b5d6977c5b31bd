"""Draws cameras: where they are, how wide they see, and what is behind the people."""

from dataclasses import dataclass, replace
from typing import Final, NamedTuple

import numpy as np

from posecascade.models.arrays import Floats, Indices, Mask
from posecascade.models.lab.rendering.assets import Split
from posecascade.models.lab.rendering.chance import mixture
from posecascade.models.lab.rendering.photos import Photos
from posecascade.models.lab.rendering.placing import Ground
from posecascade.models.lab.rendering.scene import Backdrop, Camera

_FOV_DEG: Final = ((0.7, 36, 75), (0.3, 30, 100))
_EYE_M: Final = ((0.1, 0.1, 0.5), (0.2, 0.5, 1.2), (0.45, 1.2, 1.8), (0.25, 1.8, 2.7))
_EDGE: Final = ((0.8, 0.3, 0.7), (0.2, 0.8, 1.15))
_FILL: Final = (
    (0.18, 0.08, 0.25),
    (0.27, 0.25, 0.55),
    (0.35, 0.55, 1.0),
    (0.2, 1.0, 1.6),
)
"""Standing height of the first person, in frames."""
_LAYOUTS: Final = (0.34, 0.22, 0.28, 0.16)
_CONTACT: Final = 0.06
_BACKDROPS: Final = (0.3, 0.2, 0.5)
_WITHOUT_PHOTOS: Final = (0.6, 0.4, 0)
_NO_GROUND: Final = 0.05
"""Weight of a photo where nobody can stand, against one of open ground."""
_DEEPEST_ROOM_M: Final = 12
_PERSON_M: Final = 1.7
_NOBODY_AT_M: Final = 4.0


@dataclass(frozen=True, slots=True, eq=False)
class PhotoChoice:
    """The photos of a split, and how often each is taken."""

    photos: Photos
    index: Indices
    share: Floats

    @classmethod
    def of(cls, photos: Photos, split: Split) -> "PhotoChoice":
        index = photos.of_split(split)
        weight = np.where(photos.ground[index], 1, _NO_GROUND)
        return cls(photos, index, weight / weight.sum())


class Framing(NamedTuple):
    """What is settled about B scenes before anybody stands in them."""

    camera: Camera
    """Pitch and roll are those of a photo; `aimed` gives the others theirs."""
    backdrop: Indices
    photo: Indices
    crop_px: Floats
    ground: Ground
    close: Mask
    """The first person fills the frame."""
    cut: Mask
    """Aimed carelessly."""


def draw_framing(
    rng: np.random.Generator, count: int, choice: PhotoChoice | None
) -> Framing:
    """The generator is asked in this order: equal seeds give equal scenes only while it stays."""
    fov = np.deg2rad(mixture(rng, count, _FOV_DEG))
    layout = rng.choice(4, count, p=_LAYOUTS)
    contact = np.where(rng.random(count) < _CONTACT, rng.integers(1, 4, count), 0)
    edge = mixture(rng, count, _EDGE)
    eye = mixture(rng, count, _EYE_M)
    roll = rng.normal(0, 0.04, count)
    cut = rng.random(count) < 0.2
    backdrop = rng.choice(3, count, p=_BACKDROPS if choice else _WITHOUT_PHOTOS)
    fill = mixture(rng, count, _FILL)
    camera = Camera(fov, eye, np.zeros(count), roll, np.zeros(count))
    photo = np.zeros(count, int)
    crop: Floats = np.zeros((count, 3))
    if choice:
        photo = rng.choice(choice.index, count, p=choice.share)
        camera, crop = _within_photo(
            rng, camera, backdrop == Backdrop.PHOTO, choice.photos, photo
        )
    half_width = np.tan(camera.fov_rad / 2)
    distance = np.clip(0.5 * _PERSON_M / half_width / fill, 0.7, 40)
    too_deep = (backdrop == Backdrop.ROOM) & (distance > _DEEPEST_ROOM_M)
    backdrop = np.where(too_deep, Backdrop.PANORAMA, backdrop)
    ground = Ground(distance, half_width, layout, contact, edge, camera.height_m)
    return Framing(camera, backdrop, photo, crop, ground, fill > 0.9, cut)


def _within_photo(
    rng: np.random.Generator,
    camera: Camera,
    on_photo: Mask,
    photos: Photos,
    photo: Indices,
) -> tuple[Camera, Floats]:
    """A square crop [B, 3] of each photo, the field of view it implies, a pitch that keeps the photo's horizon."""
    count = len(photo)
    height, width = photos.size_hw_px[photo].T.astype(float)
    side = np.minimum(height, width) * rng.uniform(0.6, 1, count)
    left = (width - side) * rng.random(count)
    known = photos.fov_rad[photo] > 0
    focal = (
        width
        / 2
        / np.tan(
            np.where(known, photos.fov_rad[photo], rng.uniform(0.75, 1.25, count)) / 2
        )
    )
    horizon = (
        photos.horizon[photo] * height + rng.normal(0, 0.03, count) * height * ~known
    )
    top = np.clip(horizon - side * rng.uniform(0.2, 0.65, count), 0, height - side)
    eye = rng.uniform(1.0, 2.0, count)
    framed = replace(
        camera,
        fov_rad=np.where(on_photo, 2 * np.arctan(side / 2 / focal), camera.fov_rad),
        height_m=np.where(on_photo, eye, camera.height_m),
        pitch_rad=np.where(on_photo, np.arctan((top + side / 2 - horizon) / focal), 0),
        roll_rad=np.where(on_photo, camera.roll_rad * 0.2, camera.roll_rad),
    )
    return framed, np.stack([left, top, side], 1)


def aimed(rng: np.random.Generator, framing: Framing) -> Camera:
    """The cameras, those that take no photo pitched at the people."""
    camera = framing.camera
    count = len(framing.photo)
    loose = rng.uniform(0.35, 1.6, count)
    tight = rng.uniform(0.6, 1.15, count)
    target = np.where(framing.close, loose, tight)
    pitch = np.arctan2(
        camera.height_m - target, framing.ground.distance_m
    ) + rng.normal(0, 0.04, count)
    pitch = np.clip(
        pitch + framing.cut * rng.normal(0, 0.3, count) * camera.fov_rad, -0.9, 1.3
    )
    return replace(
        camera,
        pitch_rad=np.where(framing.backdrop == Backdrop.PHOTO, camera.pitch_rad, pitch),
    )


def mean_distance(frame: Indices, at_m: Floats, count: int) -> Floats:
    """[B] mean depth of the people [P] of each scene; a guess where there is nobody."""
    people = np.bincount(frame, minlength=count)
    total = np.bincount(frame, at_m[:, 2], count)
    return np.where(people > 0, total / np.maximum(people, 1), _NOBODY_AT_M)
