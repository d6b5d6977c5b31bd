"""COCO keypoint average precision: OKS 0.50 to 0.95 in steps of 0.05, 101 recall points, 20 detections a frame.

Two departures from COCO, both because a labelled folder knows boxes and no segments: the area of a person is 0.53 of
their box (CrowdPose's convention), and a surplus detection is ignored when its mean joint lies in an ignore box (COCO:
when its OKS with the crowd's box is high). Frames with people that nobody labelled are left out by the caller.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from posecascade.models.arrays import Floats, Indices, Mask
from posecascade.models.lab.datasets.labelled import LabelledFrame
from posecascade.models.lab.scoring.answers import Guess
from posecascade.models.lab.scoring.matching import inside, mean_joint_px
from posecascade.models.skeleton import COCO17, JOINTS

OKS_LEVELS: Final = np.arange(0.50, 0.96, 0.05)
RECALLS: Final = np.linspace(0, 1, 101)
MOST_DETECTIONS: Final = 20
AREA_OF_BOX: Final = 0.53

_SIGMAS: Final = (
    np.array([26, 25, 25, 35, 35, 79, 79, 72, 72, 62, 62, 107, 107, 87, 87, 89, 89])
    / 1000
)
"""[17] COCO's spread of its annotators per joint, relative to the square root of the area."""


@dataclass(frozen=True, slots=True, eq=False)
class Detections:
    """One frame's detections, best first, judged at every level."""

    scores: Floats
    """[D]"""
    right: Mask
    """[L, D] took a person at that level."""
    ignored: Mask
    """[L, D] neither right nor wrong."""
    people: int


def oks(guess_px: Floats, truth_px: Floats, area_px2: Floats) -> Floats:
    """[P, D] object keypoint similarity of detections [D, 17, 2] and people [P, 17, 2] with areas [P].

    The mean is over the joints that are marked; a marked joint that a detection lacks counts 0.
    """
    square = ((truth_px[:, None] - guess_px[None]) ** 2).sum(-1)  # [P, D, 17]
    marked = np.isfinite(truth_px[:, None, :, 0])
    spread = 2 * (2 * _SIGMAS) ** 2 * area_px2[:, None, None]
    similarity = np.exp(-np.where(np.isfinite(square), square, np.inf) / spread)
    return np.asarray((similarity * marked).sum(-1) / np.maximum(marked.sum(-1), 1))


def judge(frame: LabelledFrame, guesses: Sequence[Guess]) -> Detections:
    """Greedy matching, best detection first, as COCO does it."""
    best = sorted(guesses, key=lambda guess: -guess.score)[:MOST_DETECTIONS]
    found = COCO17.of(
        np.array([guess.joints_px for guess in best]).reshape(-1, JOINTS, 2)
    )
    marked = [
        person
        for person in frame.people
        if np.isfinite(COCO17.of(person.joints_px)).any()
    ]
    truth = COCO17.of(
        np.array([person.joints_px for person in marked]).reshape(-1, JOINTS, 2)
    )
    sides = np.array(
        [person.box_xyxy_px[2:] - person.box_xyxy_px[:2] for person in marked]
    ).reshape(-1, 2)
    similarity = oks(found, truth, AREA_OF_BOX * np.maximum(np.abs(sides.prod(1)), 1.0))
    right = np.array([_taken(similarity, level) >= 0 for level in OKS_LEVELS]).reshape(
        len(OKS_LEVELS), len(best)
    )
    ignored = ~right & inside(mean_joint_px(found), frame.ignore_xyxy_px)
    return Detections(
        np.array([guess.score for guess in best]), right, ignored, len(marked)
    )


def _taken(similarity: Floats, level: float) -> Indices:
    """[D] the person whom each detection takes, -1 for none: the likest one still free."""
    free = similarity.copy()
    taken = np.full(similarity.shape[1], -1)
    for detection in range(similarity.shape[1] if len(similarity) else 0):
        person = int(free[:, detection].argmax())
        if free[person, detection] >= level:
            taken[detection], free[person] = person, -1
    return taken


def average_precision(frames: Sequence[Detections]) -> float:
    """AP over all frames; NaN when nobody is labelled."""
    people = sum(frame.people for frame in frames)
    if not people:
        return float("nan")
    order = np.argsort(
        -np.concatenate([frame.scores for frame in frames]), kind="stable"
    )
    right = np.concatenate([frame.right for frame in frames], 1)[:, order]
    ignored = np.concatenate([frame.ignored for frame in frames], 1)[:, order]
    return float(
        np.mean(
            [
                _precision(hit[~skip], people)
                for hit, skip in zip(right, ignored, strict=True)
            ]
        )
    )


def _precision(right: Mask, people: int) -> float:
    """Mean interpolated precision at `RECALLS` of detections in order of score."""
    hits = np.cumsum(right)
    recall = hits / people
    precision = hits / np.arange(1, len(right) + 1)
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    at = np.searchsorted(recall, RECALLS, side="left")
    return float(np.append(envelope, 0.0)[at].mean())
