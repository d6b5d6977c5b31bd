"""Which detection is which labelled person: the one protocol for every system, ours and peers alike.

1. A labelled person counts when 6 or more of the 12 limb joints (shoulders, elbows, wrists, hips, knees, ankles) are
   marked. s = sqrt(area of the labelled box), at least 8 px.
2. Similarity of a person and a detection: mean of exp(-d^2 / (2 (0.15 s)^2)) over the limb joints that both have.
3. Hungarian assignment on the similarity; a person is *found* when their partner reaches 0.4.
4. A detection without a person found is *false*, unless its mean limb joint lies in an ignore box, or the frame holds
   people nobody labelled. (One that lies on a person with fewer than 6 marked limb joints is false too.)
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.optimize import linear_sum_assignment

from posecascade.models.arrays import Floats, Indices, Mask
from posecascade.models.lab.datasets.labelled import LabelledFrame, LabelledPerson
from posecascade.models.lab.scoring.answers import Guess
from posecascade.models.skeleton import JOINT_NAMES

LIMBS: Final = np.array(
    [
        JOINT_NAMES.index(f"{side}_{part}")
        for part in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
        for side in ("left", "right")
    ]
)
"""[12] limb joints in cascade25: left and right of shoulder, elbow, wrist, hip, knee, ankle."""

HIPS: Final = slice(6, 8)
"""The two hips among the limb joints."""

LEAST_MARKED: Final = 6
LEAST_SIZE_PX: Final = 8.0
SPREAD: Final = 0.15
"""Of the person's size: the distance at which a joint still counts exp(-1/2)."""
FOUND_AT: Final = 0.4


@dataclass(frozen=True, slots=True, eq=False)
class Matches:
    """The people of a frame that count, and who found them."""

    people: tuple[LabelledPerson, ...]
    sizes_px: Floats
    """[P] square root of the box area."""

    found_by: Indices
    """[P] index of the detection, -1 where missed."""

    false: Mask
    """[G] detections that stand for nobody."""


def match(frame: LabelledFrame, guesses: Sequence[Guess]) -> Matches:
    """Applies the protocol above to one frame."""
    people = counted(frame)
    box_scales = np.array([size_px(person) for person in people])
    truth = np.array([limbs_px(person) for person in people]).reshape(-1, len(LIMBS), 2)
    found = np.array([guess.joints_px[LIMBS] for guess in guesses]).reshape(
        -1, len(LIMBS), 2
    )
    found_by = assigned(similarity(truth, box_scales, found))
    return Matches(people, box_scales, found_by, _false(frame, found, found_by))


def counted(frame: LabelledFrame) -> tuple[LabelledPerson, ...]:
    """The people of a frame that count: enough limb joints are marked."""
    return tuple(
        person
        for person in frame.people
        if np.isfinite(limbs_px(person)[:, 0]).sum() >= LEAST_MARKED
    )


def limbs_px(person: LabelledPerson) -> Floats:
    """[12, 2] NaN where not marked."""
    return np.asarray(person.joints_px[LIMBS])


def size_px(person: LabelledPerson) -> float:
    """Square root of the box area, the yardstick of all 2D distances."""
    width, height = person.box_xyxy_px[2:] - person.box_xyxy_px[:2]
    return max(float(np.sqrt(abs(width * height))), LEAST_SIZE_PX)


def height_px(person: LabelledPerson) -> float:
    """Of the labelled box."""
    return float(person.box_xyxy_px[3] - person.box_xyxy_px[1])


def similarity(truth_px: Floats, sizes_px: Floats, guess_px: Floats) -> Floats:
    """[P, G] from [P, L, 2], [P] and [G, L, 2]; 0 where a pair has no joint in common."""
    square = ((truth_px[:, None] - guess_px[None]) ** 2).sum(-1)  # [P, G, L]
    common = np.isfinite(square)
    oks = np.exp(
        -np.where(common, square, np.inf)
        / (2 * (SPREAD * sizes_px[:, None, None]) ** 2)
    )
    return np.asarray(oks.sum(-1) / np.maximum(common.sum(-1), 1))


def assigned(oks: Floats) -> Indices:
    """[P] partner of each row under the best assignment of the whole, -1 below `FOUND_AT`."""
    partners = np.full(len(oks), -1)
    rows, columns = linear_sum_assignment(-oks)
    good = oks[rows, columns] >= FOUND_AT
    partners[rows[good]] = columns[good]
    return partners


def _false(frame: LabelledFrame, guess_px: Floats, found_by: Indices) -> Mask:
    surplus = ~np.isin(np.arange(len(guess_px)), found_by)
    if not frame.everyone_labelled:
        return np.zeros_like(surplus)
    return surplus & ~inside(mean_joint_px(guess_px), frame.ignore_xyxy_px)


def mean_joint_px(joints_px: Floats) -> Floats:
    """[G, 2] mean of the joints [G, J, 2] that are there; NaN where there are none."""
    there = np.isfinite(joints_px).all(-1, keepdims=True)
    count = there.sum(1)
    return np.where(
        count > 0, np.where(there, joints_px, 0).sum(1) / np.maximum(count, 1), np.nan
    )


def inside(points_px: Floats, boxes_xyxy_px: Floats) -> Mask:
    """[N] whether a point [N, 2] lies in any of the boxes [B, 4], edges included."""
    after = points_px[:, None] >= boxes_xyxy_px[None, :, :2]  # [N, B, 2]
    before = points_px[:, None] <= boxes_xyxy_px[None, :, 2:]
    return np.asarray(np.any(np.all(after & before, axis=-1), axis=1))
