"""Bounds on a mean that hold for any number of samples, without assuming how they are distributed."""

import numpy as np

from posecascade.models.arrays import Floats

CONFIDENCE = 0.95


def upper_bound(
    losses: Floats, *, confidence: float = CONFIDENCE, seed: int = 0
) -> float:
    """The least value that the mean of `losses` [N], independent and within 0..1, is known not to exceed.

    By betting: a gambler who stakes on the mean being lower than m grows rich only if it is; where the wealth passes
    1 / (1 - confidence), m is refuted. (Waudby-Smith and Ramdas, arXiv 2010.09686, section 4; as the p-value of Learn
    then Test, arXiv 2110.01052, section 3.)

    Raises:
        ValueError: a loss outside 0..1.
    """
    if len(losses) and not (losses.min() >= 0 and losses.max() <= 1):
        raise ValueError(
            f"want losses within 0..1, got {losses.min():g}..{losses.max():g}"
        )
    drawn = np.random.default_rng(seed).permutation(
        losses
    )  # bets are laid in an order that tells nothing
    low = 0.0
    high = 1.0
    for _ in range(
        30
    ):  # to a millionth of a millionth: whether m is refuted is monotone in m
        middle = (low + high) / 2
        if _refuted(drawn, middle, confidence):
            high = middle
        else:
            low = middle
    return high


def _refuted(losses: Floats, mean: float, confidence: float) -> bool:
    """Whether the wealth of betting on a mean below `mean` passes 1 / (1 - confidence) at some time."""
    if not len(losses):
        return False
    count = np.arange(1, len(losses) + 1)
    running = (0.5 + losses.cumsum()) / (count + 1)
    spread = (0.25 + np.square(losses - running).cumsum()) / (count + 1)
    before = np.concatenate(
        [[0.25], spread[:-1]]
    )  # each bet knows only what came before it
    stake = np.minimum(
        np.sqrt(2 * np.log(1 / (1 - confidence)) / (len(losses) * before)),
        0.75 / (1 - mean + 1e-12),
    )
    wealth = np.log1p(-stake * (losses - mean)).cumsum()
    return bool(wealth.max() >= np.log(1 / (1 - confidence)))
