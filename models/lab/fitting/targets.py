"""What policies are fitted on: the error that each route would leave, told by the deepest answer and not by labels.

A person's error after a route is taken to be sqrt(e^2 + d^2): e the error that the deepest route expects of itself, d
the distance between the route's body and the deepest one's. Errors that all routes share cancel in it, which labels
leave in as noise; and rendered people, on whom `refine` gains little in truth, tell rightly where the stages part. On
footage that was held back, gains fitted so are closer to the true ones than gains fitted on rendered truth
(docs/routing.md). It needs no labels, so that a user's own footage will do.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Final

import numpy as np

from posecascade.models.arrays import Floats, Mask
from posecascade.models.lab.scoring.metrics import LAPLACE_MEAN
from posecascade.models.lab.scoring.recorded import Recorded

WORST_MM: Final = 400.0
"""Errors are cut here, so that bounds on their mean exist and few people do not decide for all."""
LEAST_SCORE: Final = 0.2
"""Detections below it are not answered by default, and most are nobody."""


@dataclass(frozen=True, slots=True, eq=False)
class Cases:
    """N people to learn from."""

    after_coarse: Floats
    """[N, F] features."""
    after_refine: Floats
    """[N, F] features; NaN where refine's look was lost."""
    error_mm: Floats
    """[N, R] that each of `ROUTES` leaves."""

    @property
    def refined(self) -> Mask:
        """[N] who has features after refine."""
        return np.asarray(np.isfinite(self.after_refine).all(1))


def cases(tables: Sequence[Recorded]) -> Cases:
    """Everybody in the tables who would be answered.

    Raises:
        ValueError: nobody.
    """
    found = [_cases(table) for table in tables]
    joined = Cases(
        *(
            np.concatenate([getattr(one, column.name) for one in found])
            for column in fields(Cases)
        )
    )
    if not len(joined.error_mm):
        raise ValueError(
            f"want people to learn from, got none with a score of {LEAST_SCORE:g} or more"
        )
    return joined


def error_from_deepest(table: Recorded) -> Floats:
    """[N, R] see above, mm."""
    own = LAPLACE_MEAN * table.sigma_mm[:, -1].mean(1)
    error: Floats = np.minimum(np.hypot(own[:, None], table.from_deepest_mm), WORST_MM)
    return error


def _cases(table: Recorded) -> Cases:
    error = error_from_deepest(table)
    use = (
        (table.score[:, 0] >= LEAST_SCORE)
        & np.isfinite(table.features[:, 0]).all(1)
        & np.isfinite(error).all(1)
    )
    return Cases(table.features[use, 0], table.features[use, 1], error[use])
