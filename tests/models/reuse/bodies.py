"""People as columns, for a memory to know: a standing body, moved, turned or shaken."""

from dataclasses import replace

import numpy as np

from models.arrays import Floats, Image
from models.looks import Looks
from models.records import Stage
from models.reuse.memory import Memory
from models.reuse.recall import Recall
from models.reuse.settings import Reuse
from tests.standing import standing

PICTURE = np.random.default_rng(0).integers(0, 255, (90, 160, 3), dtype=np.uint8)


def looks(*roots_mm: tuple[float, float, float], turn_deg: float = 0, off_mm: Floats | float = 0,
          sigma_mm: float = 40, score: float = 0.9) -> Looks:
    """Standing people; `off_mm`, added to their bodies relative to the root, is what the look is wrong by."""
    people = [standing(root, turn_deg=turn_deg, sigma_mm=sigma_mm) for root in roots_mm]
    poses = [person.pose for person in people]
    count = len(people)
    rel = np.array([pose.joints_rel_mm for pose in poses]).reshape(count, 25, 3) + off_mm
    return Looks(np.full(count, score), np.array([pose.joints_px for pose in poses]).reshape(count, 25, 2),
                 np.full((count, 25), 0.9), rel, np.full((count, 25), float(sigma_mm)),
                 np.array([root[2] for root in roots_mm], float), np.full(count, 100.0), np.zeros(count))


def doubted(*roots_mm: tuple[float, float, float], score: float, off_mm: Floats | float = 0) -> Looks:
    """`looks` whose joints all have this score."""
    people = looks(*roots_mm, off_mm=off_mm)
    return replace(people, joint_scores=np.full_like(people.joint_scores, score))


def look_deeper(memory: Memory, coarse: Looks, deep: Looks, time_s: float, picture: Image = PICTURE) -> Recall:
    """A frame at this time, see `looked_deeper`."""
    memory.begin(time_s)
    return looked_deeper(memory, coarse, deep, picture)


def looked_deeper(memory: Memory, coarse: Looks, deep: Looks, picture: Image = PICTURE) -> Recall:
    """The frame that has begun, in which everybody who is due gets `deep`, the others what the memory carries, or else
    `coarse`."""
    recall = memory.recall(picture, coarse, None)
    held, due = recall.has & ~recall.due, np.flatnonzero(recall.due)
    answer = recall.carried.replaced(due, deep[due])
    memory.learn(recall, coarse, answer,
                 [Stage.EXPERT if deeper else Stage.COARSE for deeper in held | recall.due], held)
    return recall


HERE, THERE = (-800, 0, 4000), (800, 0, 4000)
DEEP = looks(HERE, THERE, off_mm=30)
ALTERNATING = Reuse(clock=False, decide=False, every=4)


def asked(memory: Memory, coarse: Looks, at: float, picture: Image = PICTURE) -> Recall:
    memory.begin(at)
    return memory.recall(picture, coarse, None)


def knowing(reuse: Reuse = ALTERNATING) -> Memory:
    """A memory that has looked deeper at two people."""
    memory = Memory(reuse)
    look_deeper(memory, looks(HERE, THERE), DEEP, 0.0)
    return memory
