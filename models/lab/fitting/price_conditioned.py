"""Recipes of the `priced` policies (Deciding How to Decide, arXiv 1703.06217, section 4): the price is an input."""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from posecascade.models.arrays import Floats
from posecascade.models.lab.fitting.adam import Adam
from posecascade.models.lab.fitting.gain import ridge
from posecascade.models.lab.fitting.targets import Cases
from posecascade.models.policies import PricedPolicy
from posecascade.models.policies.linear import Linear
from posecascade.models.policies.price_conditioned import with_price
from posecascade.models.records import Stage

ROUNDS: Final = 1500
RATE: Final = 0.03
DECAY: Final = 1e-3
SCALE_MM: Final = 20.0
"""Rewards are divided by it: the size of a gain."""
_STEPS: Final = (
    (Stage.COARSE, Stage.REFINE),
    (Stage.COARSE, Stage.EXPERT),
    (Stage.REFINE, Stage.EXPERT),
)


def fit_critic(
    people: Cases,
    cost_ms: Mapping[Stage, float],
    prices: Sequence[float],
    *,
    optimistic: bool,
) -> PricedPolicy:
    """Regresses what each action is worth beyond stopping, prices drawn from `prices`.

    Going to `refine` has a sequel: `optimistic` credits it with the best that could follow, else with what the rule
    fitted for `refine` does follow (the pragmatic critic).
    """
    refine = cost_ms[Stage.REFINE]
    expert = cost_ms[Stage.EXPERT]
    error = people.error_mm
    refined = people.refined
    inputs = np.concatenate(
        [with_price(people.after_coarse, price) for price in prices]
    )
    seen = np.concatenate(
        [with_price(people.after_refine[refined], price) for price in prices]
    )
    price = np.repeat(np.array(prices), len(error))
    onward_mm = np.tile(error[:, 1] - error[:, 3], len(prices)) - price * expert
    again = np.tile(refined, len(prices))
    onward = ridge(seen, onward_mm[again])
    follows = np.zeros(len(price))
    follows[again] = onward_mm[again] * (onward.of(seen) > 0)
    if optimistic:
        follows[again] = np.maximum(onward_mm[again], 0)
    to_refine = (
        np.tile(error[:, 0] - error[:, 1], len(prices)) - price * refine + follows
    )
    to_expert = np.tile(error[:, 0] - error[:, 2], len(prices)) - price * expert
    advantages = dict(
        zip(
            _STEPS,
            (ridge(inputs, to_refine), ridge(inputs, to_expert), onward),
            strict=True,
        )
    )
    return PricedPolicy(
        advantages, "optimistic_critic" if optimistic else "pragmatic_critic"
    )


def fit_actor(
    people: Cases,
    cost_ms: Mapping[Stage, float],
    prices: Sequence[float],
    *,
    seed: int = 0,
) -> PricedPolicy:
    """Policy gradient: routes drawn from the softmax of the advantages, a price drawn for each person and round."""
    rng = np.random.default_rng(seed)
    first, second = (
        [with_price(table, price) for price in prices]
        for table in (people.after_coarse, np.nan_to_num(people.after_refine))
    )
    stacked = np.stack(first), np.stack(second)  # [K, N, I]
    mean = [one.reshape(-1, one.shape[-1]).mean(0) for one in stacked]
    spread = [one.reshape(-1, one.shape[-1]).std(0) + 1e-6 for one in stacked]
    scaled = [
        np.concatenate([(one - m) / s, np.ones((*one.shape[:2], 1))], -1)
        for one, m, s in zip(stacked, mean, spread, strict=True)
    ]
    ways_ms = np.array(
        [
            0,
            cost_ms[Stage.REFINE],
            cost_ms[Stage.EXPERT],
            cost_ms[Stage.REFINE] + cost_ms[Stage.EXPERT],
        ]
    )
    everyone = np.arange(len(people.error_mm))
    refined = people.refined
    weights = np.zeros((3, scaled[0].shape[-1]))
    adam = Adam(RATE)
    for _ in range(ROUNDS):
        drawn = rng.integers(len(prices), size=len(everyone))
        inputs = scaled[0][drawn, everyone]
        after = scaled[1][drawn, everyone]
        chance = _softmax(
            np.column_stack(
                [np.zeros(len(inputs)), inputs @ weights[0], inputs @ weights[1]]
            )
        )
        action = (rng.random((len(inputs), 1)) > chance.cumsum(1)[:, :2]).sum(
            1
        )  # stop, refine, expert
        onward = 1 / (1 + np.exp(-np.clip(after @ weights[2], -30, 30)))
        goes = (rng.random(len(inputs)) < onward) & refined & (action == 1)
        way = np.where(goes, 3, action)
        paid = (
            people.error_mm[everyone, way]
            - people.error_mm[:, 0]
            + np.array(prices)[drawn] * ways_ms[way]
        ) / SCALE_MM
        excess = paid - paid.mean()
        took = np.stack([action == 1, action == 2], 1) - chance[:, 1:]
        slope = np.stack(
            [
                inputs.T @ (excess * took[:, 0]),
                inputs.T @ (excess * took[:, 1]),
                after.T @ (excess * (action == 1) * refined * (goes - onward)),
            ]
        ) / len(inputs)
        slope += 2 * DECAY * weights
        weights = weights + adam.move(slope)
    advantages = {
        step: _plain(row, mean[which], spread[which])
        for step, row, which in zip(_STEPS, weights, (0, 0, 1), strict=True)
    }
    return PricedPolicy(advantages, "actor")


def _softmax(logits: Floats) -> Floats:
    raised = np.exp(logits - logits.max(1, keepdims=True))
    share: Floats = raised / raised.sum(1, keepdims=True)
    return share


def _plain(row: Floats, mean: Floats, spread: Floats) -> Linear:
    """The weights of inputs as they come."""
    raw = row[:-1] / spread
    return Linear(tuple(map(float, raw)), float(row[-1] - mean @ raw))
