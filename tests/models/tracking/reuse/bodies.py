"""Standing people as detections, moved, turned or displaced, and a memory that knows two of them."""

from dataclasses import replace

import numpy as np

from posecascade.models.arrays import Floats, Image
from posecascade.models.detections import Detections
from posecascade.models.lab.scoring.refresh_rules import FixedAlternation
from posecascade.models.records import Stage
from posecascade.models.tracking.reuse.memory import Memory
from posecascade.models.tracking.reuse.refresh import RefreshRule
from posecascade.models.tracking.reuse.settings import Reuse
from posecascade.models.tracking.reuse.tracks import TrackPrediction
from tests.standing import standing

IMAGE = np.random.default_rng(0).integers(0, 255, (90, 160, 3), dtype=np.uint8)


def detections(
    *roots_mm: tuple[float, float, float],
    turn_deg: float = 0,
    off_mm: Floats | float = 0,
    sigma_mm: float = 40,
    score: float = 0.9,
    joint_score: float = 0.9,
) -> Detections:
    """Standing people; `off_mm` is the error of their bodies relative to the root."""
    people = [standing(root, turn_deg=turn_deg, sigma_mm=sigma_mm) for root in roots_mm]
    count = len(people)
    joints_px = np.array([person.pose.joints_px for person in people])
    rel_mm = np.array([person.pose.joints_rel_mm for person in people])
    return Detections(
        score=np.full(count, score),
        joints_px=joints_px.reshape(count, 25, 2),
        joint_scores=np.full((count, 25), joint_score),
        rel_mm=rel_mm.reshape(count, 25, 3) + off_mm,
        sigma_mm=np.full((count, 25), float(sigma_mm)),
        root_depth_mm=np.array([root[2] for root in roots_mm], float),
        root_depth_sigma_mm=np.full(count, 100.0),
        disagreement=np.zeros(count),
    )


LEFT = (-800, 0, 4000)
RIGHT = (800, 0, 4000)
TWO_PEOPLE = detections(LEFT, RIGHT)
REFINED = detections(LEFT, RIGHT, off_mm=30)
EVERY_4 = FixedAlternation(4)


def predict(
    memory: Memory, coarse: Detections, time_s: float, image_bgr: Image = IMAGE
) -> TrackPrediction:
    memory.begin(time_s)
    return memory.predict(image_bgr, coarse, None)


def run_frame_at(
    memory: Memory,
    time_s: float,
    coarse: Detections,
    refined: Detections,
    image_bgr: Image = IMAGE,
) -> TrackPrediction:
    """A frame at this time, see `run_frame`."""
    memory.begin(time_s)
    return run_frame(memory, coarse, refined, image_bgr)


def run_frame(
    memory: Memory,
    coarse: Detections,
    refined: Detections,
    image_bgr: Image = IMAGE,
) -> TrackPrediction:
    """The frame that has begun. Who needs a refresh is answered by `refined`, the others as the memory predicts."""
    prediction = memory.predict(image_bgr, coarse, None)
    reused = prediction.has & ~prediction.needs_refresh
    refresh = np.flatnonzero(prediction.needs_refresh)
    answer = prediction.propagated.replaced(refresh, refined[refresh])
    is_refined = reused | prediction.needs_refresh
    stages = [Stage.EXPERT if refined else Stage.COARSE for refined in is_refined]
    memory.update(prediction, coarse, answer, stages, reused)
    return prediction


def memory_of_two(
    reuse: Reuse | None = None, rule: RefreshRule | None = EVERY_4
) -> Memory:
    """A memory in which two people were refined at time 0."""
    memory = Memory(reuse, rule)
    run_frame_at(memory, 0.0, TWO_PEOPLE, REFINED)
    return memory


def with_joint_score(people: Detections, joint: int, score: float) -> Detections:
    """The detections with another score of one joint."""
    scores = people.joint_scores.copy()
    scores[:, joint] = score
    return replace(people, joint_scores=scores)
