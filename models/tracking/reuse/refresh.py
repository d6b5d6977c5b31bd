"""When to refresh: what a refined estimate is worth in a stream, and when reusing it costs more than a new one.

A refresh is a new pass of the deeper stages for a person who has a refined estimate from an earlier frame. Reusing that
estimate adds an error, which grows until the next refresh. A `RefreshRule` weighs the two.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

import numpy as np

from posecascade.models.arrays import Floats, Indices, Mask

FRAMES_PER_REFRESH: Final = 4
"""Frames that a refined estimate serves, roughly. Makes a saving over all of them comparable with one in a single
frame."""

NEW_TRACK_GAIN_MM: Final = 50.0
"""What the first refinement of a person saves in a frame. It removes 25 mm, of real and rendered people alike
(docs/results.md), and later refreshes build on it. With 25 mm too many half-hidden people in crowds stayed with
`coarse`."""

SINGLE_REFRESH_PENALTY: Final = 0.6
"""Share by which propagation costs more after a single refinement; after n refinements the n-th part of it. One
correction is as noisy as the two estimates that it is the difference of. On 110 rendered training films, estimates
propagated for 0.1 s were off by 1.5 times the expected error after one refinement, 1.4 after two, 1.1 after three or
four and 1.0 after more (a trial script)."""

FIRST_INTERVAL_S: Final = 0.15
SHORTEST_INTERVAL_S: Final = 0.04
LONGEST_INTERVAL_S: Final = 1.0
"""The adaptive interval at the second refinement, and its bounds."""

MAX_INTERVAL_GROWTH: Final = 1.5
MIN_INTERVAL_GROWTH: Final = 0.5
"""Bounds of the factor by which one comparison changes an interval."""

UNTRIED_INTERVAL_S: Final = 0.0
"""Interval after the first refinement: the next frame refreshes. A long run should not rest on one estimate, and the
comparison of the two shows how well this person propagates."""

INPUTS: Final = (
    "age_s",
    "root_age",
    "pose_change_mm",
    "speed",
    "change",
    "coarse_sigma_mm",
    "deep_sigma_mm",
    "offset_mm",
)
"""Inputs of the deviation model, in order: seconds since the refinement, and their square root; mean distance of the
root-relative coarse joints from those at the refinement; speed in the image in body sizes a second; change since the
last frame in body sizes; mean sigma of the coarse estimate now, and of the refined one; mean length of the correction
that the refinement made."""


@dataclass(frozen=True, slots=True)
class DeviationModel:
    """Expected distance of a propagated body from a fresh refined one: linear in `INPUTS`.

    Source: DVSNet (arXiv 1804.00931). There a small network predicts how far a warped segmentation agrees with a fresh
    one, and a target decides what is segmented again. Here the prediction is a distance in mm.
    """

    weights: tuple[float, ...]
    bias: float
    target_mm: float
    """Error that propagation may add, unless the stream sets another target; see `AccumulatedError`."""

    def expected_mm(self, inputs: Floats) -> Floats:
        """[P] for inputs [P, F], never negative."""
        expected: Floats = np.maximum(inputs @ np.array(self.weights) + self.bias, 0.0)
        return expected

    @staticmethod
    def read(table: Mapping[str, Any]) -> "DeviationModel":
        """From the manifest's JSON.

        Raises:
            KeyError, ValueError: something is missing, or it was fitted on other inputs.
        """
        weights = tuple(map(float, table["weights"]))
        is_finite = bool(np.isfinite([*weights, table["bias"]]).all())
        is_complete = len(weights) == len(INPUTS) and tuple(table["inputs"]) == INPUTS
        if not (is_complete and is_finite and table["target_mm"] > 0):
            raise ValueError(
                f"reuse: want finite weights of {', '.join(INPUTS)} and a target above 0: fit it again "
                "with `python -m posecascade.models.lab.fitting.reuse`"
            )
        return DeviationModel(weights, float(table["bias"]), float(table["target_mm"]))

    def as_json(self) -> dict[str, Any]:
        """What `read` reads."""
        return {
            "inputs": list(INPUTS),
            "weights": list(self.weights),
            "bias": self.bias,
            "target_mm": self.target_mm,
        }


@dataclass(frozen=True, slots=True, eq=False)
class RefreshCandidates:
    """Columns [P] of a frame's people. Rows without a refined estimate mean nothing."""

    age_s: Floats
    """Since the estimate was refined."""
    frames: Indices
    """That it has answered since, this one included."""
    extra_mm: Floats
    """Error that propagation is expected to add in this frame."""
    accumulated_mm: Floats
    """The same, summed over the frames before this one."""
    interval_s: Floats
    """Adaptive interval of each person, see `adapted_interval_s`."""
    target_mm: float
    """Error that a refresh must be expected to save."""
    is_fitted: bool
    """Whether a deviation model is behind `extra_mm`; otherwise it is a rough guess."""


class RefreshRule(Protocol):
    """Decides who is refreshed."""

    def needs_refresh(self, candidates: RefreshCandidates) -> Mask:
        """[P] whose estimate should be refreshed in this frame."""


@dataclass(frozen=True, slots=True)
class AccumulatedError:
    """Refreshes as soon as one more frame would cost more than the frames so far did on average, refresh included.

    A refresh starts a run of frames whose error grows, and costs `target_mm`. At one such price for everybody this
    gives the least total error for the number of refreshes. A bound on the error of a single frame would keep people
    who change slowly far too long. Without a fitted deviation model the adaptive interval decides.
    """

    def needs_refresh(self, candidates: RefreshCandidates) -> Mask:
        """[P] whose estimate should be refreshed in this frame."""
        if not candidates.is_fitted:
            return is_interval_over(candidates.age_s, candidates.interval_s)
        next_cost = candidates.extra_mm / candidates.target_mm
        cost_so_far = 1 + candidates.accumulated_mm / candidates.target_mm
        return np.asarray(candidates.frames * next_cost > cost_so_far)


def is_interval_over(age_s: Floats, interval_s: Floats) -> Mask:
    """[P] whether estimates of this age have reached their interval."""
    return np.asarray(age_s >= interval_s - 1e-6)


def adapted_interval_s(
    interval_s: Floats, extra_mm: Floats, target_mm: float
) -> Floats:
    """[P] intervals after a comparison of propagated and fresh estimates.

    They grow where propagation cost less than the target.

    Source: Clockwork Convnets (arXiv 1608.03609), section 4.3: deep layers run on a clock of their own, which fires
    when what it would have missed is large.
    """
    factor = np.clip(
        target_mm / np.maximum(extra_mm, 1e-3), MIN_INTERVAL_GROWTH, MAX_INTERVAL_GROWTH
    )
    is_untried = interval_s == UNTRIED_INTERVAL_S
    before = np.where(is_untried, FIRST_INTERVAL_S, interval_s)
    adapted: Floats = np.clip(before * factor, SHORTEST_INTERVAL_S, LONGEST_INTERVAL_S)
    return adapted


def visible_probability(score: Floats, joint_scores: Floats) -> Floats:
    """[P] 0 to 1, that a detection is a person and its joints are in view; 1 where a score is no number.

    A false detection and a hidden joint gain nothing by a refresh: the fresh estimate is far from the propagated one,
    and no better. On 7719 refinements of rendered training films, the true cost of propagation goes with the expected
    cost times the score to the power of 1.0 and the mean joint score to the power of 1.4 (least squares, a trial
    script).

    Args:
        score: [P] of the coarse detections.
        joint_scores: [P, 25] of their joints.
    """
    product = np.clip(score * joint_scores.mean(1), 0.0, 1.0)
    probability: Floats = np.nan_to_num(product, nan=1.0)
    return probability


def extra_error_mm(deviation_mm: Floats, error_mm: Floats) -> Floats:
    """[P] error that a deviation from a refined estimate adds to the error of that estimate.

    The two errors are independent. Where the refined estimate itself is off by much, a deviation adds little.

    Args:
        deviation_mm: [P] distance from the refined estimate.
        error_mm: [P] expected error of the refined estimate.
    """
    extra: Floats = np.hypot(error_mm, deviation_mm) - error_mm
    return extra


def propagation_cost_mm(
    deviation_mm: Floats,
    error_mm: Floats,
    visible_probability: Floats,
    refreshes: Indices,
) -> Floats:
    """[P] error that propagation is expected to add in a frame.

    Args:
        deviation_mm: [P] expected distance of the propagated estimates from fresh ones.
        error_mm: [P] expected error of the propagated estimates when they were refined.
        visible_probability: [P], see above.
        refreshes: [P] refinements that each estimate rests on.
    """
    penalty = 1 + SINGLE_REFRESH_PENALTY / np.maximum(refreshes, 1)
    extra = extra_error_mm(deviation_mm, error_mm)
    cost: Floats = visible_probability * extra * penalty
    return cost


def new_track_gain_mm(visible_probability: Floats) -> Floats:
    """[P] what a first refinement saves, summed over the frames that it serves."""
    return FRAMES_PER_REFRESH * NEW_TRACK_GAIN_MM * visible_probability
