"""The price of compute is an input of the rule: one set of weights for all prices."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from posecascade.models.arrays import Floats
from posecascade.models.policies.budget import allocate, deeper_than
from posecascade.models.policies.linear import Linear
from posecascade.models.policies.table import FEATURES, Decision, RoutingTable
from posecascade.models.records import Stage

INPUTS = 2 * len(FEATURES) + 2
PRICE_RANGE = (0.01, 50.0)
"""Beyond it the price says nothing more: nobody, or everybody, is sent on."""


def with_price(features: Floats, price: float) -> Floats:
    """[P, INPUTS]: features [P, F], the price and its logarithm, and their products with the latter."""
    bounded = float(np.clip(price, *PRICE_RANGE))
    ones = np.ones(len(features))
    return np.column_stack(
        [features, bounded * ones, np.log(bounded) * ones, features * np.log(bounded)]
    )


@dataclass(frozen=True, slots=True)
class PricedPolicy:
    """Takes the action of the largest advantage over stopping, by person, given the price.

    Source: Deciding How to Decide, arXiv 1703.06217, section 3: dynamic routing with the cost of compute as an input.
    The three ways to learn the advantages are section 4's: by policy gradient (`actor`), or by regressing the cost to
    go under the present policy downstream (`pragmatic_critic`) or under the best choice downstream
    (`optimistic_critic`); see `posecascade.models.lab.fitting.price_conditioned`.
    """

    advantages: Mapping[tuple[Stage, Stage], Linear]
    """Of going from a stage to a deeper one, over stopping; inputs as `with_price` makes them."""
    name: str

    def decide(self, table: RoutingTable) -> Decision:
        """The stage of the largest advantage, or none."""
        inputs = with_price(table.features, table.price)
        return allocate(
            table,
            np.array(
                [
                    self.advantages[table.stage, stage].of(inputs)
                    for stage in deeper_than(table.stage)
                ]
            ),
        )
