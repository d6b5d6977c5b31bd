"""Former names of weights: files that were written before a rename stay readable."""

from collections.abc import Mapping
from typing import Final, TypeVar

T = TypeVar("T")

FORMER_NAMES: Final = {
    # the 3D head and its lifters
    "enter": "input_layer",
    "leave": "output_layer",
    "straight": "linear_skip",
    "elder": "coarse_lifter",
    "stand_in": "substitutes",
    "is_read": "is_coco",
    # BlazePose
    "look": "depthwise",
    "marks": "landmarks",
}
"""Former to present name of a submodule or buffer. No present name of a stage is a former one."""


def present_name(name: str) -> str:
    """A dotted name of a weight as the networks call it today: `head.elder.enter.bias` and the like."""
    parts = [FORMER_NAMES.get(part, part) for part in name.split(".")]
    return ".".join(parts)


def with_present_names(weights: Mapping[str, T]) -> dict[str, T]:
    """Weights by their present names."""
    return {present_name(name): value for name, value in weights.items()}
