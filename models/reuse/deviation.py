"""How far a carried body is from a fresh deep look: regressed from plain numbers.

Source: DVSNet (arXiv 1804.00931), where a small network expects the agreement of a warped segmentation with a fresh one
and a target decides who is segmented again. Here it is a distance in millimetres.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from models.arrays import Floats

INPUTS: Final = ("age_s", "root_age", "moved_mm", "speed", "change", "coarse_sigma_mm", "deep_sigma_mm", "offset_mm")
"""Order of the inputs: seconds since the deep look and their root, mean distance of the coarse joints from where they
were then (relative to the root), speed in the picture in sizes a second, change since the last frame in sizes, mean
sigmas of the coarse look now and of the deep one then, mean length of the correction."""


@dataclass(frozen=True, slots=True)
class Deviation:
    """Linear in `INPUTS`."""

    weights: tuple[float, ...]
    bias: float
    target_mm: float
    """Error that carrying may add unless the stream says otherwise, see `carrying.extra_mm`."""

    def expected_mm(self, inputs: Floats) -> Floats:
        """[P] for inputs [P, F], never negative."""
        said: Floats = np.maximum(inputs @ np.array(self.weights) + self.bias, 0.0)
        return said

    @staticmethod
    def read(said: Mapping[str, Any]) -> "Deviation":
        """From the manifest's JSON.

        Raises:
            KeyError, ValueError: something is lacking, or it was fitted on other inputs.
        """
        weights = tuple(map(float, said["weights"]))
        fitted = tuple(said["inputs"]), len(weights), bool(np.isfinite([*weights, said["bias"]]).all())
        if fitted != (INPUTS, len(INPUTS), True) or not said["target_mm"] > 0:
            raise ValueError(f"reuse: want finite weights of {', '.join(INPUTS)} and a target above 0: fit it again "
                             "with `python -m models.reuse.fit`")
        return Deviation(weights, float(said["bias"]), float(said["target_mm"]))

    def as_json(self) -> dict[str, Any]:
        """What `read` reads."""
        return {"inputs": list(INPUTS), "weights": list(self.weights), "bias": self.bias, "target_mm": self.target_mm}
