"""What a simulated load came to: frames refused, people looked at again, delays."""

from collections.abc import Sequence

import numpy as np

from posecascade.models.arrays import Floats, Mask
from tests.service.engine.simulation import SimulatedFrame


def refused(frames: Sequence[SimulatedFrame]) -> int:
    """Frames without an answer."""
    return sum(frame.answered_s is None for frame in frames)


def errors_mm(frames: Sequence[SimulatedFrame]) -> Floats:
    """[N] of everybody."""
    return np.concatenate([frame.error_mm for frame in frames])


def looked_at(frames: Sequence[SimulatedFrame]) -> Mask:
    """[N] whether a deeper stage saw them."""
    return np.concatenate(
        [np.isin(np.arange(len(frame.error_mm)), list(frame.deep)) for frame in frames]
    )


def delays_s(frames: Sequence[SimulatedFrame]) -> Floats:
    """[N] of the frames that were answered."""
    return np.array(
        [
            frame.answered_s - frame.arrived_s
            for frame in frames
            if frame.answered_s is not None
        ]
    )


def ordered(frames: Sequence[SimulatedFrame]) -> float:
    """How surely someone with a look is harder than someone without (area under the ROC curve); 0.5 is chance."""
    error_mm = errors_mm(frames)
    deep = looked_at(frames)
    rank = error_mm.argsort().argsort()
    with_look = deep.sum()
    return float(
        (rank[deep].sum() - with_look * (with_look - 1) / 2)
        / (with_look * (~deep).sum())
    )
