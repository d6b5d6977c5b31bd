"""Fixed shapes for a runtime that compiles: batch buckets, input sizes, and the padding that fits a batch to them.

A runtime that compiles takes 30-100 s for each shape it has not seen (microsoft/onnxruntime 12120, 16889), so the
shapes are few and known before the first request.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from posecascade.models.errors import RunnerError
from posecascade.models.runners.base import Arrays
from posecascade.models.runners.signature import TensorSpec

SizeHW = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Profile:
    """One input size at every batch bucket."""

    size_hw: SizeHW | None
    """Fills the open axes after the batch; None: the stage has none."""

    buckets: tuple[int, ...]
    """Batch sizes, rising."""

    def __post_init__(self) -> None:
        if (
            not self.buckets
            or self.buckets[0] < 1
            or list(self.buckets) != sorted(set(self.buckets))
        ):
            raise RunnerError(
                f"batch buckets must rise from at least 1, got {self.buckets}"
            )

    @property
    def usual(self) -> int:
        """The bucket to tune for: the middle one."""
        return self.buckets[len(self.buckets) // 2]

    def bucket(self, items: int) -> int:
        """The smallest bucket that holds `items`, which the largest does."""
        return next(bucket for bucket in self.buckets if bucket >= items)

    def shape(self, spec: TensorSpec, items: int) -> tuple[int, ...]:
        """The shape of an input at a batch size."""
        open_axes = iter(self.size_hw or ())
        try:
            return (
                items,
                *(
                    next(open_axes) if length is None else length
                    for length in spec.shape[1:]
                ),
            )
        except StopIteration:
            raise RunnerError(f"{spec} has open axes: say the input sizes") from None


def profiles(
    inputs: Mapping[str, TensorSpec], sizes_hw: Sequence[SizeHW], buckets: Sequence[int]
) -> tuple[Profile, ...]:
    """One profile for each input size, or one in all for a stage whose input size is fixed."""
    is_open = any(None in spec.shape[1:] for spec in inputs.values())
    sizes: Sequence[SizeHW | None] = sizes_hw if is_open else [None]
    if not sizes:
        raise RunnerError(
            "the stage takes pictures of any size: say which to build for"
        )
    return tuple(Profile(size, tuple(buckets)) for size in sizes)


def profile_of(
    batch: Arrays, inputs: Mapping[str, TensorSpec], offered: Sequence[Profile]
) -> int:
    """Index of the profile that a checked batch belongs to.

    Raises:
        RunnerError: no profile has that input size.
    """
    for index, profile in enumerate(offered):
        if all(
            profile.shape(spec, 1)[1:] == batch[name].shape[1:]
            for name, spec in inputs.items()
        ):
            return index
    got = {
        name: batch[name].shape[1:]
        for name, spec in inputs.items()
        if None in spec.shape[1:]
    }
    raise RunnerError(
        f"no engine profile for {got}; built for {[profile.size_hw for profile in offered]}"
    )


def in_buckets(
    batch: Arrays, profile: Profile
) -> Iterator[tuple[dict[str, np.ndarray], int]]:
    """Pieces of a batch, each padded to its bucket, with the number of items that count.

    The last item fills up: it is an input the stage can take, which zeros (a focal length of 0) are not.
    """
    items = len(next(iter(batch.values())))
    for start in range(0, items, profile.buckets[-1]):
        piece = {
            name: array[start : start + profile.buckets[-1]]
            for name, array in batch.items()
        }
        count = len(next(iter(piece.values())))
        rows = np.minimum(np.arange(profile.bucket(count)), count - 1)
        yield {name: array[rows] for name, array in piece.items()}, count
