"""The one model that policies are made of: linear in the routing features, small enough to read in the manifest."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from posecascade.models.arrays import Floats
from posecascade.models.policies.table import FEATURES


@dataclass(frozen=True, slots=True)
class Linear:
    """A number from the features of a person."""

    weights: tuple[float, ...]
    """Of the inputs, in their order; for most policies `routers.table.FEATURES`."""
    bias: float

    def of(self, inputs: Floats) -> Floats:
        """[P] for inputs [P, F]."""
        result: Floats = inputs @ np.array(self.weights) + self.bias
        return result

    @staticmethod
    def read(result: Mapping[str, Any], inputs: int = len(FEATURES)) -> "Linear":
        """From JSON.

        Raises:
            KeyError, ValueError: something is lacking, or there are not so many weights as inputs.
        """
        weights = tuple(map(float, result["weights"]))
        if len(weights) != inputs or not np.isfinite([*weights, result["bias"]]).all():
            raise ValueError(
                f"want {inputs} finite weights and a bias, got {len(weights)}: fit the policies again"
            )
        return Linear(weights, float(result["bias"]))

    def as_json(self) -> dict[str, Any]:
        """What `read` reads."""
        return {"weights": list(self.weights), "bias": self.bias}


def nearest_price(prices: Floats, price: float) -> int:
    """Place of the price in `prices`, ascending, that is nearest in ratio; 0 is the first."""
    return int(np.abs(np.log(prices) - np.log(max(price, float(prices[0])))).argmin())
