"""Recorded tables of made-up people of whom everything is known."""

import numpy as np

from posecascade.models.lab.scoring.recorded import ROUTES, Recorded
from posecascade.models.policies.table import FEATURES
from posecascade.models.records import Stage

COST_MS = {Stage.COARSE: 20.0, Stage.REFINE: 10.0, Stage.EXPERT: 20.0}
FLOOR_MM = 80.0
"""What the deepest answer is off itself."""


def people(count: int, seed: int = 0, *, a_frame: int = 2) -> Recorded:
    """Those of large expected error are helped by refine, those with `disagreement` by expert after it; the others
    gain nothing from any look."""
    rng = np.random.default_rng(seed)
    hard = rng.random(count)
    odd = rng.random(count) < 0.25
    away = np.stack(
        [60 * (hard > 0.5) + 60.0 * odd, 60.0 * odd, 10 + 60.0 * odd, np.zeros(count)],
        1,
    )
    features = rng.normal(0, 0.1, (count, 2, len(FEATURES)))
    for name, values in (
        ("log_expected_error", np.log(60 + 80 * hard)),
        ("disagreement", 1.0 * odd),
        ("log_size_px", rng.uniform(3, 6, count)),
        ("score", np.full(count, 0.9)),
    ):
        features[:, :, FEATURES.index(name)] = values[:, None]
    wide = np.ones((count, len(ROUTES)))
    joints = wide[..., None] * np.ones(25)
    error = np.hypot(FLOOR_MM, away)
    return Recorded(
        folder=np.array(["made"] * count),
        frame=np.array([f"{i // a_frame}.png" for i in range(count)]),
        sequence=np.array([f"{i // a_frame}" for i in range(count)]),
        person=np.arange(count),
        difficulty=hard,
        judged=np.ones(count, bool),
        right=wide > 0,
        features=features,
        score=0.9 * wide,
        joint_scores=0.9 * joints,
        sigma_mm=FLOOR_MM / np.sqrt(0.75) * joints,
        root_sigma_mm=wide,
        errors_mm=error[..., None] * np.ones(25),
        errors_2d=0.05 * joints,
        root_errors_mm=wide,
        limb_error_mm=error,
        error_2d=0.05 * wide,
        from_deepest_mm=away,
        cost_ms=wide,
    )
