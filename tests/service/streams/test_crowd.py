"""Who keeps which id in a crowd: people who walk about, turn, and hide each other."""

from dataclasses import replace

import numpy as np
import pytest

from posecascade.models.tracking.tracker import Tracker
from tests.standing import CAMERA, standing

LOW_MM = np.array([-2500, 0, 3000.0])
HIGH_MM = np.array([2500, 0, 8000.0])
BODY_MM = 220.0
TURN_DEG_S = 200.0


class Walkers:
    """Each walks to a place, then to another, at a pace of their own."""

    def __init__(self, rng, people):
        self._rng = rng
        self.root_mm, self._goal = (
            rng.uniform(LOW_MM, HIGH_MM, (people, 3)) for _ in range(2)
        )
        self._speed = rng.uniform(500, 1500, people)
        self.facing_deg = rng.uniform(-180, 180, people)

    def step(self, seconds):
        """Walks on, turning towards the goal."""
        way = self._goal - self.root_mm
        left = np.linalg.norm(way, axis=1)
        step = self._speed * seconds
        turn = (
            np.degrees(np.arctan2(way[:, 0], -way[:, 2])) - self.facing_deg + 180
        ) % 360 - 180
        self.facing_deg += np.clip(turn, -TURN_DEG_S * seconds, TURN_DEG_S * seconds)
        self.root_mm += way * np.minimum(step / np.maximum(left, 1), 1)[:, None]
        there = left < step
        self._goal[there] = self._rng.uniform(LOW_MM, HIGH_MM, (there.sum(), 3))

    def hidden(self):
        """[P] whether somebody nearer stands before them."""
        bearing = self.root_mm[:, 0] / self.root_mm[:, 2]
        depth = self.root_mm[:, 2]
        before = (depth < depth[:, None] - 150) & (
            np.abs(bearing - bearing[:, None]) < BODY_MM / depth
        )
        return before.any(axis=1)


def seen(rng, root_mm, facing_deg):
    """As the cascade might see them: depth errs by 2 %, joints by 43 mm."""
    aside = np.array([rng.normal(scale=0.004) * root_mm[2], 0, 0])
    person = standing(
        tuple((root_mm + aside) * (1 + rng.normal(scale=0.02))), turn_deg=facing_deg
    )
    noise = rng.normal(scale=25, size=(25, 3))
    pose = person.pose
    px = pose.joints_px + noise[:, :2] * CAMERA.fx / root_mm[2]
    return replace(
        person,
        pose=replace(pose, joints_rel_mm=pose.joints_rel_mm + noise, joints_px=px),
    )


def swaps(*, people, fps, seconds, seed=0):
    """How often somebody came back under another id."""
    rng = np.random.default_rng(seed)
    tracker = Tracker()
    walkers = Walkers(rng, people)
    known = {}
    count = 0
    for frame in range(int(seconds * fps)):
        walkers.step(1 / fps)
        there = np.flatnonzero(
            ~(walkers.hidden() & (rng.random(people) < 0.8))
            & (rng.random(people) > 0.02)
        )
        rng.shuffle(there)
        found = [seen(rng, walkers.root_mm[i], walkers.facing_deg[i]) for i in there]
        for who, id_ in zip(
            there.tolist(),
            tracker.follow(found, CAMERA, frame / fps).ids.tolist(),
            strict=True,
        ):
            count += known.setdefault(who, id_) != id_
            known[who] = id_
    return count


@pytest.mark.parametrize(
    ("people", "fps", "most"), [(2, 5, 2), (3, 15, 1), (6, 15, 15)]
)
def test_ids_survive_most_encounters(people, fps, most):
    assert swaps(people=people, fps=fps, seconds=30) <= most
