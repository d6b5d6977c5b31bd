"""Settings of a request, for one picture or for a stream."""

import math
from dataclasses import dataclass
from enum import StrEnum

from posecascade.models.records import Camera


class Quality(StrEnum):
    """Presets for callers who do not want to think in prices."""

    FAST = "fast"
    """Coarse only."""
    BALANCED = "balanced"
    """The calibrated price of the manifest."""
    BEST = "best"
    """Everyone to the deepest stage."""


MAX_PEOPLE = 64
"""Upper bound of `max_people`; the coarse stage itself has 32 slots, see the manifest."""

MAX_TILES = 9
"""Upper bound of `tiles`."""


@dataclass(frozen=True, slots=True)
class Options:
    """Settings of one request; `None` means the default that the manifest states."""

    quality: Quality = Quality.BALANCED
    price: float | None = None
    """mm of expected error that one millisecond must remove; overrides `quality`."""
    max_extra_error_mm: float | None = None
    """The guarantee: bound of the mean extra error against everyone-to-the-deepest; overrides `quality`."""
    budget_ms: float | None = None
    """Time for the deeper stages of this frame."""
    policy: str | None = None
    max_people: int = 32
    min_score: float | None = None
    tiles: int | None = None
    """Tiles of a wide frame on which `coarse` may run again at a larger scale, where small people may have been missed.
    None: all promising ones at `quality` best, else none."""
    camera: Camera | None = None
    """True intrinsics; None: assumed from the field of view."""
    region_xywh_px: tuple[float, float, float, float] | None = None
    """Detect only there; None: the whole frame."""
    reuse_target_mm: float | None = None
    """In a stream: error in mm, summed over the frames until the next refresh, that a refresh must be expected to save.
    People below it reuse their estimate. None: as calibrated, but at `best` everybody is refreshed in each frame. 0: no
    reuse, every frame by itself."""

    @property
    def overrides_quality(self) -> bool:
        """Whether another setting than `quality` chooses the operating point."""
        return (self.price, self.max_extra_error_mm, self.policy) != (None, None, None)

    def __post_init__(self) -> None:
        if self.price is not None and self.max_extra_error_mm is not None:
            raise ValueError("price and max_extra_error_mm clash: give one of them")
        for name, least, inclusive in (
            ("price", 0, True),
            ("max_extra_error_mm", 0, False),
            ("budget_ms", 0, False),
            ("reuse_target_mm", 0, True),
        ):
            value = getattr(self, name)
            if value is not None and not (
                math.isfinite(value)
                and (value > least or (inclusive and value == least))
            ):
                raise ValueError(
                    f"{name} must be {'>=' if inclusive else '>'} {least} and finite, got {value}"
                )
        if not 1 <= self.max_people <= MAX_PEOPLE:
            raise ValueError(
                f"max_people must be 1..{MAX_PEOPLE}, got {self.max_people}"
            )
        if self.tiles is not None and not 0 <= self.tiles <= MAX_TILES:
            raise ValueError(f"tiles must be 0..{MAX_TILES}, got {self.tiles}")
        if self.min_score is not None and not 0 <= self.min_score <= 1:
            raise ValueError(f"min_score must be 0..1, got {self.min_score}")
        if self.region_xywh_px is not None:
            x, y, w, h = self.region_xywh_px
            if not (
                all(map(math.isfinite, self.region_xywh_px))
                and x >= 0
                and y >= 0
                and w >= 1
                and h >= 1
            ):
                raise ValueError(
                    f"region must be x,y >= 0 and w,h >= 1 pixels, got {self.region_xywh_px}"
                )
