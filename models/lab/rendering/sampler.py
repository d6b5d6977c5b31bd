"""Draws whole scenes of one split, in columns for a batch: plain NumPy, no loop over people."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from posecascade.models.arrays import Floats, Indices
from posecascade.models.lab.rendering.crowd import Crowd
from posecascade.models.lab.rendering.framing import (
    Framing,
    PhotoChoice,
    aimed,
    draw_framing,
    mean_distance,
)
from posecascade.models.lab.rendering.furniture import furnished
from posecascade.models.lab.rendering.lens import draw_lens
from posecascade.models.lab.rendering.placing import Floor, spun
from posecascade.models.lab.rendering.poses import turned
from posecascade.models.lab.rendering.scene import People, Scenes
from posecascade.models.lab.rendering.staging import draw_staging

MOST_PEOPLE: Final = 8
_EMPTY: Final = 0.03
_FULL: Final = 0.06
_NOW: Final = np.zeros(1)
"""One moment a scene."""


@dataclass(frozen=True, slots=True, eq=False)
class SceneSampler:
    """Everything scenes of one split are drawn from."""

    crowd: Crowd
    surfaces: Mapping[str, list[int]]
    """Layers of the atlas by kind of surface."""
    environments: Indices
    photos: PhotoChoice | None

    def draw(self, rng: np.random.Generator, count: int) -> Scenes:
        """Equal generators give equal scenes."""
        return self.over_time(rng, count, _NOW).at_time(0)

    def over_time(
        self, rng: np.random.Generator, count: int, seconds: Floats
    ) -> Scenes:
        """Scenes whose people have a time axis [P, T, ...]: where they are at `seconds` [T], standing in nobody."""
        crowd_size = _crowd_sizes(rng, count)
        framing = draw_framing(rng, count, self.photos)
        people, spheres_m = self._placed(rng, framing, crowd_size, seconds)
        camera = aimed(rng, framing)
        aim = mean_distance(people.frame, people.at_m, count)
        layers = [layer for kind in self.surfaces.values() for layer in kind]
        props = furnished(rng, camera, framing.backdrop, aim, spheres_m, layers)
        staging = draw_staging(
            rng, spheres_m, camera.height_m, self.surfaces, self.environments
        )
        return Scenes(
            camera=camera,
            backdrop=framing.backdrop,
            photo=framing.photo,
            crop_px=framing.crop_px,
            tone=staging.tone,
            room=staging.room,
            light=staging.light,
            lens=draw_lens(rng, count),
            people=people,
            props=props,
        )

    def _placed(
        self,
        rng: np.random.Generator,
        framing: Framing,
        crowd_size: Indices,
        seconds: Floats,
    ) -> tuple[People, Floats]:
        """Those who found a place, facing their way, and the volumes [B, S, T, 22, 3] of everybody."""
        frame = np.repeat(np.arange(len(crowd_size)), crowd_size)
        slot = np.arange(len(frame)) - np.repeat(
            np.cumsum(crowd_size) - crowd_size, crowd_size
        )
        people = self.crowd.draw(rng, frame, seconds)
        floor = Floor(framing.ground, int(crowd_size.max(initial=0)), len(seconds))
        spot, stands = floor.place(rng, people, slot, self.crowd.volumes_m(people))
        at = np.stack([spot.x_m, np.zeros(len(frame)), spot.z_m], 1).astype(np.float32)
        people = replace(
            people,
            at_m=at,
            quat=turned(people.quat, spot.yaw_rad),
            path_m=spun(people.path_m, spot.yaw_rad),
        ).taken(stands)
        return replace(people, identity=np.arange(len(people.frame))), floor.spheres_m


def _crowd_sizes(rng: np.random.Generator, count: int) -> Indices:
    """[B] people a scene: mostly few, now and then nobody or as many as may be."""
    nobody = rng.random(count) < _EMPTY
    some = np.minimum(
        rng.geometric(0.36, count) + (rng.random(count) < 0.35), MOST_PEOPLE
    )
    return np.where(rng.random(count) < _FULL, MOST_PEOPLE, np.where(nobody, 0, some))
