"""The operating point of one frame: what its settings come to before anything of the picture is known."""

from dataclasses import dataclass

import numpy as np

from posecascade.models.calibration import Calibration
from posecascade.models.options import MAX_TILES, Options, Quality
from posecascade.models.policies import AlwaysPolicy, LoadState, NeverPolicy, Policy
from posecascade.models.tracking.reuse.refresh import FRAMES_PER_REFRESH

STREAM_BUDGET_FACTOR = 2
"""Of the balanced budget, for a frame of a stream: room for two stage passes of one person. Most frames of a stream
reuse earlier estimates, so the mean over a stream stays near the budget of a single picture."""


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """Policy, price and budget of one frame."""

    policy: Policy
    price: float
    """Minimum gain in mm for each millisecond spent."""
    budget_ms: float = np.inf
    """Time for the deeper stages of the frame."""

    @classmethod
    def of(
        cls, options: Options, calibration: Calibration, *, in_stream: bool = False
    ) -> "OperatingPoint":
        """The operating point that the settings choose.

        Args:
            options: of the request.
            calibration: of the weights.
            in_stream: a refined estimate also serves later frames, so that a balanced frame may pay more for it.

        Raises:
            ValueError: no such policy.
        """
        policy, price = _policy_and_price(options, calibration, in_stream=in_stream)
        budget_ms = _budget_ms(options, calibration, in_stream=in_stream)
        return cls(policy, price, budget_ms)


def allowed_tiles(options: Options, load_state: LoadState, coarse_ms: float) -> int:
    """How many tiles of the frame `coarse` may run on again, at a larger scale.

    By default all at `best` and none otherwise. One tile costs more than all deeper passes of a balanced frame may, and
    there is no price on missed people. Under load tiles are the first to go.

    Args:
        options: of the request.
        load_state: at the moment.
        coarse_ms: cost of one tile.
    """
    if load_state.price > 0:
        return 0
    is_best = options.quality is Quality.BEST and not options.overrides_quality
    default_tiles = MAX_TILES if is_best else 0
    requested = default_tiles if options.tiles is None else options.tiles
    time_ms = min(load_state.left_ms, options.budget_ms or np.inf)
    return int(min(requested, time_ms / coarse_ms))


def _policy_and_price(
    options: Options, calibration: Calibration, *, in_stream: bool
) -> tuple[Policy, float]:
    names = tuple(calibration.policies)
    name = options.policy or names[0]
    if name not in calibration.policies:
        raise ValueError(f"policy must be one of {', '.join(names)}, got {name!r}")
    policy = calibration.policies[name]
    if options.price is not None:
        return policy, options.price
    if options.max_extra_error_mm is not None:
        return _guaranteed(options.max_extra_error_mm, calibration)
    if options.policy is None and options.quality is Quality.FAST:
        return NeverPolicy(), 0.0
    if options.policy is None and options.quality is Quality.BEST:
        return AlwaysPolicy(), 0.0
    shared_by = 1
    if in_stream and not options.overrides_quality:
        shared_by = FRAMES_PER_REFRESH
    return policy, calibration.balanced_price / shared_by


def _guaranteed(
    max_extra_error_mm: float, calibration: Calibration
) -> tuple[Policy, float]:
    """The default policy at the highest price that keeps the guarantee: no other policy was calibrated."""
    price = calibration.price_for(max_extra_error_mm)
    if price <= 0:
        return AlwaysPolicy(), 0.0
    return next(iter(calibration.policies.values())), price


def _budget_ms(options: Options, calibration: Calibration, *, in_stream: bool) -> float:
    if options.budget_ms is not None:
        return options.budget_ms
    if options.quality is not Quality.BALANCED or options.overrides_quality:
        return np.inf
    factor = STREAM_BUDGET_FACTOR if in_stream else 1
    return calibration.balanced_budget_ms * factor
