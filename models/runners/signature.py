"""What a stage wants to be fed: names, types and shapes, with the axes that may vary left open."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from posecascade.models.errors import RunnerError
from posecascade.models.runners.base import Arrays


@dataclass(frozen=True, slots=True)
class TensorSpec:
    """One input or output."""

    dtype: np.dtype[Any]
    shape: tuple[int | None, ...]
    """Batch axis first; None: any length."""

    def fits(self, array: NDArray[Any]) -> bool:
        return (
            array.dtype == self.dtype
            and array.ndim == len(self.shape)
            and all(
                want is None or want == got
                for want, got in zip(self.shape, array.shape, strict=True)
            )
        )

    def __str__(self) -> str:
        return f"{self.dtype}[{', '.join('any' if length is None else str(length) for length in self.shape)}]"


def batch_size(batch: Arrays, inputs: Mapping[str, TensorSpec], *, stage: str) -> int:
    """Number of items, after checking that the batch is what the stage wants.

    Raises:
        RunnerError: a name, type or shape is wrong, the batch is empty, or the inputs disagree on its size.
    """
    if batch.keys() != inputs.keys():
        raise RunnerError(
            f"{stage} wants the inputs {sorted(inputs)}, got {sorted(batch)}"
        )
    for name, want in inputs.items():
        if not want.fits(batch[name]):
            raise RunnerError(
                f"{stage} wants {name} {want}, got {batch[name].dtype}{list(batch[name].shape)}"
            )
    sizes = {name: len(array) for name, array in batch.items()}
    if len(set(sizes.values())) > 1 or 0 in sizes.values():
        raise RunnerError(f"{stage} wants one batch of at least one item, got {sizes}")
    return next(iter(sizes.values()))
