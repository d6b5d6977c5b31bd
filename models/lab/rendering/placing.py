"""Puts people on the floor, one slot of every scene after another, so that nobody stands in anybody."""

from typing import Any, Final, NamedTuple

import numpy as np

from posecascade.models.arrays import Floats, Indices, Mask
from posecascade.models.lab.rendering.poses import heading
from posecascade.models.lab.rendering.scene import People
from posecascade.models.lab.rendering.volumes import RADIUS_M

_TRIES: Final = 14
"""After so many the person is left out."""
_NOBODY_M: Final = 1e6
_REACH_M: Final = RADIUS_M[:, None] + RADIUS_M[None]
_FAR_M: Final = 4
"""People whose pelvises are further apart than this in x or z need no closer look."""
_TOUCH: Final = 0.45
"""Share of the reach that contact pairs must keep."""

SPREAD, CLUSTER, LINE, CROWD = range(4)
"""Layouts: anywhere, about the first person, each behind the last one, more and more about the first."""
NONE, HUG, SHOULDERS, CROSSING = range(4)
"""Contacts of the first two people of a scene."""


class Ground(NamedTuple):
    """What the layout of each scene [B] needs to know."""

    distance_m: Floats
    half_width: Floats
    """Tangent of half the field of view."""
    layout: Indices
    contact: Indices
    edge: Floats
    """How far from the middle the first person may stand, 1 at the frame's edge."""
    eye_height_m: Floats


class Spot(NamedTuple):
    """Where N people might stand, and which way."""

    x_m: Floats
    z_m: Floats
    yaw_rad: Floats


def spun(vectors: Floats, yaw_rad: Floats) -> Floats:
    """Vectors [N, ..., 3] turned about the vertical by [N]."""
    cos, sin = (
        turn(yaw_rad).reshape((-1,) + (1,) * (vectors.ndim - 2))
        for turn in (np.cos, np.sin)
    )
    x, y, z = np.moveaxis(vectors, -1, 0)
    return np.stack([x * cos + z * sin, y, z * cos - x * sin], -1).astype(np.float32)


class Floor:
    """Owns who stands where in B scenes of up to `slots` people."""

    def __init__(self, ground: Ground, slots: int, moments: int) -> None:
        scenes = len(ground.distance_m)
        self._ground = ground
        self.spheres_m = np.full(
            (scenes, max(slots, 1), moments, len(RADIUS_M), 3), _NOBODY_M, np.float32
        )
        """[B, S, T, 22, 3] of everybody placed so far, far away where a slot is free."""
        self._x_m = np.zeros((scenes, max(slots, 1)))
        self._z_m = np.zeros((scenes, max(slots, 1)))
        self._facing_rad = np.zeros((scenes, max(slots, 1)))

    def place(
        self, rng: np.random.Generator, people: People, slot: Indices, spheres_m: Floats
    ) -> tuple[Spot, Mask]:
        """Where each of the people [P] stands, and who found a place; `slot` [P] is each one's turn in the scene."""
        spot = Spot(*np.zeros((3, len(slot))))
        placed = np.zeros(len(slot), bool)
        for turn in range(int(slot.max(initial=-1)) + 1):
            waiting = np.flatnonzero(slot == turn)
            for attempt in range(_TRIES):
                if not len(waiting):
                    break
                waiting = self._attempt(
                    rng, people, waiting, turn, attempt, spheres_m, spot, placed
                )
            self._skip(people.frame[waiting], turn)
        return spot, placed

    def _attempt(
        self,
        rng: np.random.Generator,
        people: People,
        waiting: Indices,
        turn: int,
        attempt: int,
        spheres_m: Floats,
        spot: Spot,
        placed: Mask,
    ) -> Indices:
        """Proposes a place to each of the waiting, fills in those that are free, returns who still waits."""
        scene = people.frame[waiting]
        offer = self._propose(rng, people, waiting, turn, attempt)
        offset = np.stack([offer.x_m, np.zeros(len(scene)), offer.z_m], 1).astype(
            np.float32
        )
        spheres = spun(spheres_m[waiting], offer.yaw_rad) + offset[:, None, None]
        free = self._free(scene, spheres, turn)
        person_index = waiting[free]
        where = scene[free]
        for column, offered in zip(spot, offer, strict=True):
            column[person_index] = offered[free]
        placed[person_index] = True
        self.spheres_m[where, turn] = spheres[free]
        self._x_m[where, turn], self._z_m[where, turn] = (
            offset[free, 0],
            offset[free, 2],
        )
        self._facing_rad[where, turn] = offer.yaw_rad[free] + heading(
            people.quat[person_index, 0]
        )
        return waiting[~free]

    def _skip(self, scenes: Indices, turn: int) -> None:
        """A slot that stays empty passes the place of the one before it on to the next."""
        for column in (self._x_m, self._z_m):
            column[scenes, turn] = column[scenes, max(turn - 1, 0)]

    def _free(self, scene: Indices, spheres: Floats, turn: int) -> Mask:
        """[N] whose spheres [N, T, 22, 3] keep clear of the camera and of everybody in earlier slots."""
        eye = np.zeros((len(scene), 1, 1, 3))
        eye[:, 0, 0, 1] = self._ground.eye_height_m[scene]
        free = (np.linalg.norm(spheres - eye, axis=-1) > RADIUS_M + 0.3).all((1, 2))
        free &= (spheres[..., 2].max(2) > 0.4).all(1)
        for earlier in range(turn):
            free &= self._apart(scene, spheres, free, turn, earlier)
        return free

    def _apart(
        self, scene: Indices, spheres: Floats, requested: Mask, turn: int, earlier: int
    ) -> Mask:
        """[N] who do not touch those of slot `earlier`; False where not `requested`."""
        others = self.spheres_m[scene, earlier]
        apart = np.abs(spheres[..., 0, ::2] - others[..., 0, ::2]).max((1, 2)) > _FAR_M
        close = np.flatnonzero(requested & ~apart)
        if len(close):
            touching = (
                (self._ground.contact[scene[close]] > 0) & (turn == 1) & (earlier == 0)
            )
            reach = _REACH_M * np.where(touching, _TOUCH, 1)[:, None, None, None]
            squared = (
                (spheres[close][:, :, :, None] - others[close][:, :, None]) ** 2
            ).sum(-1)
            apart[close] = (squared > reach**2).all((1, 2, 3))
        return apart

    def _propose(
        self,
        rng: np.random.Generator,
        people: People,
        person_index: Indices,
        turn: int,
        attempt: int,
    ) -> Spot:
        """Places for N people, all in slot `turn`, by the layout of their scenes; wider with every attempt."""
        scene = people.frame[person_index]
        count = len(person_index)
        columns: Any = self._ground
        ground = Ground(*(column[scene] for column in columns))
        if turn == 0:
            across = (
                ground.distance_m
                * ground.half_width
                * rng.uniform(-1, 1, count)
                * ground.edge
            )
            return Spot(across, ground.distance_m, rng.uniform(-np.pi, np.pi, count))
        x, z = self._laid_out(rng, scene, ground, turn, 1 + 0.2 * attempt)
        spot = Spot(x, z, rng.uniform(-np.pi, np.pi, count))
        if turn == 1 and ground.contact.any():
            return self._in_contact(
                rng, spot, scene, ground.contact, heading(people.quat[person_index, 0])
            )
        return spot

    def _laid_out(
        self,
        rng: np.random.Generator,
        scene: Indices,
        ground: Ground,
        turn: int,
        wide: float,
    ) -> tuple[Floats, Floats]:
        count = len(scene)
        x0 = self._x_m[scene, 0]
        z0 = self._z_m[scene, 0]
        last_x = self._x_m[scene, turn - 1]
        last_z = self._z_m[scene, turn - 1]
        distance = np.clip(
            ground.distance_m * np.exp(rng.normal(0, 0.5, count)), 0.7, 40
        )
        spread = (
            distance * ground.half_width * rng.uniform(-1.05, 1.05, count) * wide,
            distance,
        )
        near = (
            x0 + rng.normal(0, 0.75, count) * wide,
            np.maximum(z0 + rng.normal(0, 0.6, count) * wide, 0.7),
        )
        step = rng.uniform(0.3, 1.0, count) * wide
        seen_past = (
            last_x * (last_z + step) / np.maximum(last_z, 0.3)
            + rng.normal(0, 0.3, count) * wide
        )
        crowd_x = x0 + rng.normal(0, 0.5 + 0.35 * turn, count) * wide
        crowd_z = np.maximum(z0 + rng.gamma(1.5, 0.5 + 0.3 * turn, count), 0.7)
        which = [
            ground.layout == SPREAD,
            ground.layout == CLUSTER,
            (ground.layout == LINE) & (turn < 4),
        ]
        return (
            np.select(which, [spread[0], near[0], seen_past], crowd_x),
            np.select(which, [spread[1], near[1], last_z + step], crowd_z),
        )

    def _in_contact(
        self,
        rng: np.random.Generator,
        spot: Spot,
        scene: Indices,
        contact: Indices,
        own_heading: Floats,
    ) -> Spot:
        """The second person of a contact pair stands by the first: face to face, beside, or crossing in front."""
        count = len(scene)
        facing = self._facing_rad[scene, 0]
        forward = np.stack([np.sin(facing), np.cos(facing)], 1)
        left = np.stack([np.cos(facing), -np.sin(facing)], 1)
        share = rng.uniform(0, 1, (count, 1))
        side = rng.choice([-1, 1], (count, 1))
        offset = np.select(
            [(contact == HUG)[:, None], (contact == SHOULDERS)[:, None]],
            [forward * (0.30 + 0.12 * share), left * side * (0.42 + 0.1 * share)],
            np.stack([side[:, 0] * 0.25, 0.25 + 0.2 * share[:, 0]], 1),
        )
        opposite = facing + np.pi - own_heading + rng.normal(0, 0.2, count)
        alike = facing - own_heading + rng.normal(0, 0.2, count)
        return Spot(
            np.where(contact > 0, self._x_m[scene, 0] + offset[:, 0], spot.x_m),
            np.where(contact > 0, self._z_m[scene, 0] + offset[:, 1], spot.z_m),
            np.select(
                [contact == HUG, contact == SHOULDERS], [opposite, alike], spot.yaw_rad
            ),
        )
