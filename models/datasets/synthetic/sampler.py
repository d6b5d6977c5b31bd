"""Draws batches of scenes: who stands where, in what clothes and pose, under which light, seen by which camera.

Everything is drawn in columns for the whole batch, in one order: equal seeds give equal scenes only while it stays.
"""

from dataclasses import dataclass, replace
from typing import Final, NamedTuple

import numpy as np

from models.arrays import Floats, Indices, Mask
from models.datasets.synthetic.assets import Split
from models.datasets.synthetic.atlas import Atlas
from models.datasets.synthetic.chance import mixture
from models.datasets.synthetic.crowd import Crowd
from models.datasets.synthetic.environments import Environments
from models.datasets.synthetic.furniture import furnished
from models.datasets.synthetic.photos import Photos
from models.datasets.synthetic.placing import Floor, Ground, spun
from models.datasets.synthetic.poses import turned
from models.datasets.synthetic.scene import Backdrop, Camera, Lens, Light, People, Room, Scenes

_BACKDROPS: Final = (0.3, 0.2, 0.5)
_BACKDROPS_WITHOUT_PHOTOS: Final = (0.6, 0.4, 0)
_ADULT_M: Final = 1.7
_OPEN_AIR_M: Final = 12
"""People further away than this are not in a room."""
_NOBODY_M: Final = 1e5
"""Spheres further out belong to nobody."""
_SUN_RGB: Final = (1, 0.93, 0.82)
_WALLS: Final = ("plaster", "bricks", "stripes", "shelf", "plaid")
_SIDES: Final = ("plaster", "bricks", "carpet")
_FLOORS: Final = ("planks", "tiles", "carpet", "asphalt", "plaster")
_DEV_ENVIRONMENTS: Final = {"lab", "park", "dawn"}

_FOV_DEG: Final = ((0.7, 36, 75), (0.3, 30, 100))
_EDGE: Final = ((0.8, 0.3, 0.7), (0.2, 0.8, 1.15))
_CAMERA_HEIGHT_M: Final = ((0.1, 0.1, 0.5), (0.2, 0.5, 1.2), (0.45, 1.2, 1.8), (0.25, 1.8, 2.7))
_STATURE: Final = ((0.18, 0.08, 0.25), (0.27, 0.25, 0.55), (0.35, 0.55, 1.0), (0.2, 1.0, 1.6))
"""Height of the first person, standing, in frames."""


class _Shot(NamedTuple):
    """What is decided before anybody is in the picture, [B] each."""

    people: Indices
    """How many are wanted."""
    camera: Camera
    layout: Indices
    contact: Indices
    edge: Floats
    cut: Mask
    """The camera aims off the people, who are then cut off."""
    stature: Floats
    backdrop: Indices
    photo: Indices
    crop_px: Floats
    photo_pitch_rad: Floats


@dataclass(frozen=True, slots=True)
class Mix:
    """How often what happens."""

    max_people: int = 8
    empty: float = 0.03
    """Share of scenes without people."""
    clean: float = 0.15
    """Share of pictures that lens and codec leave alone."""


class Sampler:
    """Draws scenes of one split; random numbers come from the caller's generator alone."""

    def __init__(
        self,
        crowd: Crowd,
        atlas: Atlas,
        environments: Environments,
        photos: Photos | None,
        split: Split,
        mix: Mix = Mix(),
    ) -> None:
        self.split, self.mix, self._crowd, self._photos = split, mix, crowd, photos
        dev = split is Split.DEV
        self.environments = [i for i, name in enumerate(environments.names) if (name in _DEV_ENVIRONMENTS) == dev]
        self.surfaces = {kind: layers[2:3] if dev else layers[:2] for kind, layers in atlas.surfaces.items()}
        self.photo = photos.of_split(split) if photos else np.zeros(0, int)
        open_ground = np.where(photos.ground[self.photo], 1, 0.05) if photos else np.ones(0)
        self._photo_weight = open_ground / max(open_ground.sum(), 1)

    def draw(self, rng: np.random.Generator, count: int, seconds: Floats | None = None) -> Scenes:
        """`count` scenes at one moment, or at several `seconds`: then what moves has a time axis."""
        if seconds is None:
            return self.draw(rng, count, np.zeros(1)).at_time(0)
        shot = self._shot(rng, count)
        distance = np.clip(0.5 * _ADULT_M / np.tan(shot.camera.fov_rad / 2) / shot.stature, 0.7, 40)
        indoors_far = (shot.backdrop == Backdrop.ROOM) & (distance > _OPEN_AIR_M)
        shot = shot._replace(backdrop=np.where(indoors_far, int(Backdrop.PANORAMA), shot.backdrop))
        people, spheres = self._populated(rng, shot, distance, seconds)
        aim = _mean_distance(people, count)
        camera = _aimed(rng, shot, distance)
        surfaces = [layer for layers in self.surfaces.values() for layer in layers]
        props = furnished(rng, camera, shot.backdrop, aim, spheres, surfaces)
        wall, side = self._covered(rng, _WALLS, count), self._covered(rng, _SIDES, count)
        elevation, azimuth = rng.uniform(0.45, 1.4, count), rng.uniform(-np.pi, np.pi, count)
        room = self._room(rng, camera, spheres, wall, side)
        environment, environment_yaw = rng.choice(self.environments, count), rng.uniform(0, 2 * np.pi, count)
        tone = rng.uniform(0.75, 1.2, count)
        light = _lit(rng, environment, environment_yaw, elevation, azimuth)
        return Scenes(
            camera,
            shot.backdrop,
            shot.photo,
            shot.crop_px,
            tone,
            room,
            light,
            drawn_lens(rng, count, self.mix.clean),
            people,
            props,
        )

    def _shot(self, rng: np.random.Generator, count: int) -> _Shot:
        people = self._head_count(rng, count)
        fov = np.deg2rad(mixture(rng, count, _FOV_DEG))
        layout = rng.choice(4, count, p=[0.34, 0.22, 0.28, 0.16])
        contact = np.where(rng.random(count) < 0.06, rng.integers(1, 4, count), 0)
        edge, height = mixture(rng, count, _EDGE), mixture(rng, count, _CAMERA_HEIGHT_M)
        roll, cut = rng.normal(0, 0.04, count), rng.random(count) < 0.2
        backdrop = rng.choice(3, count, p=_BACKDROPS if len(self.photo) else _BACKDROPS_WITHOUT_PHOTOS)
        stature = mixture(rng, count, _STATURE)
        camera = Camera(fov, height, np.zeros(count), roll, np.zeros(count))
        none = np.zeros(count, int)
        shot = _Shot(
            people, camera, layout, contact, edge, cut, stature, backdrop, none, np.zeros((count, 3)), np.zeros(count)
        )
        return self._through_photo(rng, shot, self._photos) if self._photos and len(self.photo) else shot

    def _head_count(self, rng: np.random.Generator, count: int) -> Indices:
        empty = rng.random(count) < self.mix.empty
        few = np.minimum(rng.geometric(0.36, count) + (rng.random(count) < 0.35), self.mix.max_people)
        return np.where(rng.random(count) < 0.06, self.mix.max_people, np.where(empty, 0, few))

    def _through_photo(self, rng: np.random.Generator, shot: _Shot, photos: Photos) -> _Shot:
        """A square crop of a photo, the field of view it implies, a pitch that puts the horizon where the photo has it.

        Only photo frames take the camera over; the numbers are drawn for all.
        """
        count, on = len(shot.backdrop), shot.backdrop == Backdrop.PHOTO
        photo = rng.choice(self.photo, count, p=self._photo_weight)
        high, wide = photos.size_hw_px[photo].T.astype(float)
        side = np.minimum(high, wide) * rng.uniform(0.6, 1, count)
        left = (wide - side) * rng.random(count)
        known = photos.fov_rad[photo] > 0
        focal = wide / 2 / np.tan(np.where(known, photos.fov_rad[photo], rng.uniform(0.75, 1.25, count)) / 2)
        horizon = photos.horizon[photo] * high + rng.normal(0, 0.03, count) * high * ~known
        top = np.clip(horizon - side * rng.uniform(0.2, 0.65, count), 0, high - side)
        camera = replace(
            shot.camera,
            fov_rad=np.where(on, 2 * np.arctan(side / 2 / focal), shot.camera.fov_rad),
            height_m=np.where(on, rng.uniform(1.0, 2.0, count), shot.camera.height_m),
        )
        return shot._replace(
            photo=photo,
            crop_px=np.stack([left, top, side], 1),
            camera=camera,
            photo_pitch_rad=np.arctan((top + side / 2 - horizon) / focal),
        )

    def _populated(
        self, rng: np.random.Generator, shot: _Shot, distance_m: Floats, seconds: Floats
    ) -> tuple[People, Floats]:
        """The people who found a place, and the spheres [B, S, T, 22, 3] of everybody."""
        frame = np.repeat(np.arange(len(distance_m)), shot.people)
        slot = np.arange(len(frame)) - np.repeat(np.cumsum(shot.people) - shot.people, shot.people)
        people = self._crowd.draw(rng, frame, seconds)
        ground = Ground(
            distance_m, np.tan(shot.camera.fov_rad / 2), shot.layout, shot.contact, shot.edge, shot.camera.height_m
        )
        floor = Floor(ground, int(shot.people.max(initial=0)), len(seconds))
        spot, placed = floor.place(rng, people, slot, self._crowd.volumes_m(people))
        at = np.stack([spot.x_m, np.zeros(len(slot)), spot.z_m], 1).astype(np.float32)
        people = replace(
            people, at_m=at, quat=turned(people.quat, spot.yaw_rad), path_m=spun(people.path_m, spot.yaw_rad)
        ).taken(placed)
        return replace(people, identity=np.arange(len(people.frame))), floor.spheres_m

    def _covered(self, rng: np.random.Generator, kinds: tuple[str, ...], count: int) -> Indices:
        return rng.choice([layer for kind in kinds for layer in self.surfaces[kind]], count)

    def _room(self, rng: np.random.Generator, camera: Camera, spheres_m: Floats, wall: Indices, side: Indices) -> Room:
        """A room that holds everybody and the camera."""
        count, taken = len(wall), np.where(spheres_m < _NOBODY_M, spheres_m, 0)
        widest, deepest = np.abs(taken[..., 0]).max((1, 2, 3)), taken[..., 2].max((1, 2, 3))
        width = np.maximum(widest + rng.uniform(0.4, 2.5, count), 1.6)
        depth = np.maximum(deepest, 1.5) + rng.uniform(0.4, 5, count)
        height = np.maximum(rng.uniform(2.4, 4, count), camera.height_m + 0.2)
        surface = np.stack([self._covered(rng, _FLOORS, count), side, wall, side], 1)
        tint = rng.uniform(0.55, 1.15, (count, 3, 1)) * rng.uniform(0.93, 1.07, (count, 3, 3))
        return Room(width, depth, height, surface, tint, rng.uniform(0.3, 1.2, (count, 2)))


def _mean_distance(people: People, scenes: int) -> Floats:
    """[B] of the people of each scene, 4 m where there are none."""
    count = np.bincount(people.frame, minlength=scenes)
    total = np.bincount(people.frame, people.at_m[:, 2], scenes)
    return np.where(count > 0, total / np.maximum(count, 1), 4.0)


def _aimed(rng: np.random.Generator, shot: _Shot, distance_m: Floats) -> Camera:
    """The camera turned to the first person: to any part of the body when it fills the frame, else to the middle."""
    count, camera = len(distance_m), shot.camera
    target = np.where(shot.stature > 0.9, rng.uniform(0.35, 1.6, count), rng.uniform(0.6, 1.15, count))
    pitch = np.arctan2(camera.height_m - target, distance_m) + rng.normal(0, 0.04, count)
    pitch = pitch + shot.cut * rng.normal(0, 0.3, count) * camera.fov_rad
    photo = shot.backdrop == Backdrop.PHOTO
    return replace(
        camera,
        pitch_rad=np.where(photo, shot.photo_pitch_rad, np.clip(pitch, -0.9, 1.3)),
        roll_rad=np.where(photo, camera.roll_rad * 0.2, camera.roll_rad),
    )


def _lit(
    rng: np.random.Generator, environment: Indices, environment_yaw: Floats, elevation: Floats, azimuth: Floats
) -> Light:
    count = len(environment)
    sun = np.stack([np.cos(elevation) * np.sin(azimuth), np.sin(elevation), np.cos(elevation) * np.cos(azimuth)], 1)
    sun_rgb = np.array(_SUN_RGB) * rng.uniform(0.2, 2.6, (count, 1))
    ambient, exposure = rng.uniform(0.5, 1.15, count), np.exp(rng.normal(0, 0.25, count))
    return Light(environment, environment_yaw, sun, sun_rgb, ambient, exposure)


def drawn_lens(rng: np.random.Generator, count: int, clean: float) -> Lens:
    """What lens, sensor and codec do to `count` pictures; a share `clean` of them stays untouched."""
    dirty = rng.random(count) >= clean

    def on(chance: float) -> Mask:
        return (rng.random(count) < chance) & dirty

    def some(chance: float, low: float, high: float, off: float = 0.0) -> Floats:
        return np.where(on(chance), rng.uniform(low, high, count), off)

    return Lens(
        motion=some(0.22, 1.5, 9),
        angle_rad=rng.uniform(0, np.pi, count),
        people_only=rng.random(count) < 0.5,
        defocus=some(0.2, 0.3, 1.8),
        shot=some(0.7, 0, 0.03),
        read=some(0.7, 0.002, 0.02),
        chroma=some(0.4, 0.2, 1.0),
        gamma=some(0.6, 0.75, 1.35, 1),
        white_balance=1 + rng.normal(0, 0.06, (count, 3)) * dirty[:, None],
        saturation=np.where(on(0.05), 0, some(0.5, 0.5, 1.35, 1)),
        scale=np.where(on(0.3), rng.choice([0.75, 0.5, 0.35, 0.25], count, p=[0.35, 0.35, 0.2, 0.1]), 1),
        jpeg=some(0.65, 18, 95, 100),
    )
