"""Whether an exported stage says what its torch module says, on real frames, whatever the batch."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from models.runners import Arrays, Runner
from models.runners.agreement import Agreement, agreement

TOLERANCE_MM = 0.5
"""Two float32 executions of a stage lie 0.001 to 0.1 mm apart; a wrong graph is off by tens."""


@dataclass(frozen=True, slots=True)
class Parity:
    """Torch against the exported file."""

    with_torch: Agreement
    """At batch 1 and at the batch of a whole frame, the worse of both."""
    in_batch: Agreement
    """The exported file against itself: an item in a batch and the same item alone."""
    largest_batch: int

    @property
    def joints_mm(self) -> float:
        """The largest difference of any joint in either comparison."""
        return max(self.with_torch.joints_mm, self.in_batch.joints_mm)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def parity(torch_runner: Runner, exported: Runner, batches: Sequence[Arrays], *, min_score: float) -> Parity:
    """Compares on batches of any size, those of one shape as one; slots under `min_score` are empty and left out.

    Raises:
        ValueError: the batches show nobody, which proves nothing.
    """
    nothing = Agreement(0, 0.0, 0.0, 0.0, 0.0, 0.0)
    with_torch, in_batch, largest = nothing, nothing, 0
    for batch in merged(batches):
        items = [{name: array[[row]] for name, array in batch.items()} for row in range(_items(batch))]
        alone = _stacked([exported.run(item) for item in items])
        together = exported.run(batch)
        for want, got in ((torch_runner.run(batch), together), (_stacked(map(torch_runner.run, items)), alone)):
            with_torch = with_torch.worst_of(agreement(want, got, min_score=min_score))
        in_batch = in_batch.worst_of(agreement(alone, together, min_score=min_score))
        largest = max(largest, len(items))
    if with_torch.people == 0:
        raise ValueError("the frames show nobody to compare: give frames with people in them")
    return Parity(with_torch, in_batch, largest)


def merged(batches: Iterable[Arrays], most: int = 8) -> list[dict[str, np.ndarray]]:
    """Batches of up to `most` items, each of inputs of one shape."""
    alike: dict[tuple[tuple[int, ...], ...], list[Arrays]] = {}
    for batch in batches:
        alike.setdefault(tuple(array.shape[1:] for array in batch.values()), []).append(batch)
    joined = [_stacked(group) for group in alike.values()]
    return [{name: array[start : start + most] for name, array in batch.items()}
            for batch in joined for start in range(0, _items(batch), most)]


def _items(batch: Arrays) -> int:
    return len(next(iter(batch.values())))


def _stacked(parts: Iterable[Arrays]) -> dict[str, np.ndarray]:
    parts = list(parts)
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
