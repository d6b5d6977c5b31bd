"""Array type aliases used across the package."""

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.floating[Any]]
"""Real numbers; the shape is stated where the alias is used."""

Indices: TypeAlias = NDArray[np.intp]
Mask: TypeAlias = NDArray[np.bool_]
Image: TypeAlias = NDArray[np.uint8]
"""[H, W, 3] uint8, blue-green-red unless the name says otherwise."""
