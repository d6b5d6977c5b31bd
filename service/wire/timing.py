"""Where the milliseconds of a frame went."""

from collections.abc import Mapping
from typing import Final

PARTS: Final = ("decode", "queue", "coarse", "route", "refine", "expert")


def accounted(parts_ms: Mapping[str, float], total_ms: float) -> dict[str, float]:
    """Every part by name, `other` with what no part claims, and `total`, which is exactly their sum.

    Rounded to microseconds before adding, so that the figures of an answer add up as they are read.
    """
    timing = {name: round(max(parts_ms.get(name, 0.0), 0.0), 3) for name in PARTS}
    timing["other"] = round(max(total_ms - sum(timing.values()), 0.0), 3)
    return timing | {"total": round(sum(timing.values()), 3)}
