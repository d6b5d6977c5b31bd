"""Adam (arXiv 1412.6980) for the few weights of a router, with its usual constants."""

from typing import Final

import numpy as np

from posecascade.models.arrays import Floats

_FIRST = 0.9
_SECOND = 0.999
_LEAST = 1e-8
"""Decays of the means of the slopes and of their squares; what keeps a weight from dividing by nothing."""


class Adam:
    """Owns the running means of one run."""

    def __init__(self, rate: float) -> None:
        self._rate: Final = rate
        self._steps = 0
        self._mean: Floats = np.zeros(())
        self._square: Floats = np.zeros(())

    def move(self, slope: Floats) -> Floats:
        """What to add to weights of any shape, whose cost rises along `slope`, to lower it."""
        self._steps += 1
        self._mean = _FIRST * self._mean + (1 - _FIRST) * slope
        self._square = _SECOND * self._square + (1 - _SECOND) * slope**2
        mean = self._mean / (1 - _FIRST**self._steps)
        square = self._square / (1 - _SECOND**self._steps)
        move: Floats = -self._rate * mean / (np.sqrt(square) + _LEAST)
        return move
