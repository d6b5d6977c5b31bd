"""How hard a labelled person is to see, judged by the labels alone.

To call those hard on whom one of two compared systems errs most would flatter the other: part of an error is bad luck,
which does not come again (regression to the mean). So no system under evaluation has a say here.

A person's difficulty is the mean of four terms, each the person's rank among everybody who counts in the folder, 0 for
the easiest to 1 for the hardest, equals sharing their mean rank:

- hidden: share of the 12 limb joints that are not marked visible (marked hidden, outside the frame, or not marked);
- overlapped: largest share of their box that the box of one other labelled person covers;
- cut: how many edges of the frame their box reaches;
- small: the height of their box in pixels, the lowest hardest.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from scipy.stats import rankdata

from posecascade.models.arrays import Floats
from posecascade.models.lab.datasets.labelled import LabelledFrame, LabelledPerson
from posecascade.models.lab.scoring.matching import LIMBS, counted, height_px

VISIBLE: Final = 2
EDGE_PX: Final = 1.0
"""A box that comes as near to an edge of the frame reaches it."""
HARDEST: Final = 1 / 3


def hardest(frames: Sequence[LabelledFrame]) -> frozenset[tuple[int, int]]:
    """The hardest third of everybody who counts, as (frame, person): indices into `frames` and `counted` of it."""
    everybody = [
        (i, j) for i, frame in enumerate(frames) for j in range(len(counted(frame)))
    ]
    order = np.argsort(-difficulty(frames), kind="stable")[
        : round(HARDEST * len(everybody))
    ]
    return frozenset(everybody[index] for index in order)


def difficulty_of(frames: Sequence[LabelledFrame]) -> dict[tuple[int, int], float]:
    """Difficulty by (frame, person) as in `hardest`."""
    everybody = [
        (i, j) for i, frame in enumerate(frames) for j in range(len(counted(frame)))
    ]
    return dict(zip(everybody, map(float, difficulty(frames)), strict=True))


def difficulty(frames: Sequence[LabelledFrame]) -> Floats:
    """[P] 0 to 1 for everybody who counts, frame by frame."""
    terms = [_terms(frame, person) for frame in frames for person in counted(frame)]
    if len(terms) < 2:
        return np.zeros(len(terms))
    return np.asarray(((rankdata(terms, axis=0) - 1) / (len(terms) - 1)).mean(1))


def _terms(
    frame: LabelledFrame, person: LabelledPerson
) -> tuple[float, float, float, float]:
    """Hidden, overlapped, cut and small: the larger the harder."""
    hidden = float((person.seen[LIMBS] != VISIBLE).mean())
    others = [other.box_xyxy_px for other in frame.people if other is not person]
    return (
        hidden,
        overlapped(person.box_xyxy_px, others),
        _cut(person.box_xyxy_px, frame),
        -height_px(person),
    )


def overlapped(box_xyxy_px: Floats, others_xyxy_px: Sequence[Floats]) -> float:
    """Largest share of a box [4] that one of the others [O][4] covers."""
    others = np.array(others_xyxy_px).reshape(-1, 4)
    low = np.maximum(box_xyxy_px[:2], others[:, :2])
    high = np.minimum(box_xyxy_px[2:], others[:, 2:])
    shared = np.clip(high - low, 0, None).prod(1)
    area = max(float(np.prod(box_xyxy_px[2:] - box_xyxy_px[:2])), 1.0)
    return float(shared.max(initial=0.0)) / area


def _cut(box_xyxy_px: Floats, frame: LabelledFrame) -> float:
    low = box_xyxy_px[:2]
    high = box_xyxy_px[2:]
    return float(
        (low <= EDGE_PX).sum() + (high >= np.array(frame.size_wh_px) - EDGE_PX).sum()
    )
