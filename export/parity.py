"""Parity: whether an exported stage agrees with its torch module, on real frames, whatever the batch.

Two float32 executions never agree to the last bit: sums run in another order on another processor. Almost always that
moves a joint by less than 0.1 mm. But a stage makes discrete choices (the best heatmap cell, the nearest person, the
winning candidate), and where two nearly tie, rounding decides; the pose then jumps. Networks that are hardly trained
have many such ties and steep outputs besides; which of them show depends on the processor.

So a person who is off by more than `TOLERANCE_MM` gets a second test: torch predicts them with weights that are
changed by a millionth (`perturbed.py`). If torch's own pose jumps by more than the tolerance, the person is unstable
and says nothing about the export. Unstable people are left out and counted, up to `MAX_UNSTABLE_SHARE`; a wrong graph
is wrong about everybody. All others are held to the tolerance.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from posecascade.models.runners import Arrays, Runner
from posecascade.models.runners.parity import Agreement, agreement

TOLERANCE_MM = 0.5
"""Two float32 executions of a stage lie 0.001 to 0.1 mm apart; a wrong graph is off by tens."""

MAX_UNSTABLE_SHARE = 0.2
"""Of the people compared. Rounding can decide the pose of 1 person in 15 in the shipped deep stages, and of 1 in 5 in
those of `make train-smoke`; on a given processor it moves few of them or none."""

_NONE_YET = Agreement(0, 0.0, 0.0, 0.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Parity:
    """Torch against the exported file; unstable people are left out of both comparisons."""

    with_torch: Agreement
    """At batch 1 and at the batch of a whole frame, the worse of both."""
    in_batch: Agreement
    """The exported file against itself: an item in a batch and the same item alone."""
    largest_batch: int
    unstable: int = 0
    """Comparisons left out because rounding decides the pose in torch too."""

    @property
    def joints_mm(self) -> float:
        """The largest difference of any joint in either comparison."""
        return max(self.with_torch.joints_mm, self.in_batch.joints_mm)

    @property
    def unstable_share(self) -> float:
        """Of all comparisons of a person."""
        compared = self.with_torch.people + self.in_batch.people + self.unstable
        return self.unstable / max(compared, 1)

    def as_json(self) -> dict[str, Any]:
        return {
            "with_torch": asdict(self.with_torch),
            "in_batch": asdict(self.in_batch),
            "largest_batch": self.largest_batch,
        }


def parity(
    torch_runner: Runner,
    exported: Runner,
    batches: Sequence[Arrays],
    *,
    min_score: float,
    perturbed: Iterable[Runner] = (),
) -> Parity:
    """Compares on batches of any size, those of one shape as one; slots under `min_score` are empty and left out.

    Args:
        torch_runner: of the module that was exported.
        exported: of the file.
        batches: inputs.
        min_score: of a person who is compared.
        perturbed: torch runners of slightly changed weights, run only where a person exceeds the tolerance; without
            them everybody counts as stable.

    Raises:
        ValueError: the batches show nobody, which proves nothing.
    """
    with_torch = _NONE_YET
    in_batch = _NONE_YET
    largest = 0
    unstable = 0
    for batch in merged(batches):
        items = list(_items(batch))
        alone = _stacked(exported.run(item) for item in items)
        together = exported.run(batch)
        torch_alone = _stacked(torch_runner.run(item) for item in items)
        for want, got in ((torch_runner.run(batch), together), (torch_alone, alone)):
            found, left_out = _compare(want, got, batch, perturbed, min_score)
            with_torch = with_torch.worst_of(found)
            unstable += left_out
        found, left_out = _compare(alone, together, batch, perturbed, min_score)
        in_batch = in_batch.worst_of(found)
        unstable += left_out
        largest = max(largest, len(items))
    if with_torch.people + unstable == 0:
        raise ValueError(
            "the frames show nobody to compare: give frames with people in them"
        )
    return Parity(
        with_torch=with_torch,
        in_batch=in_batch,
        largest_batch=largest,
        unstable=unstable,
    )


def _compare(
    want: Arrays,
    got: Arrays,
    batch: Arrays,
    perturbed: Iterable[Runner],
    min_score: float,
) -> tuple[Agreement, int]:
    """The agreement over stable people, and how many unstable ones it leaves out."""
    found = agreement(want, got, min_score=min_score)
    if found.joints_mm <= TOLERANCE_MM:
        return found, 0
    stable = _NONE_YET
    suspects: list[_Person] = []
    for person in _people(want, got, min_score):
        if TOLERANCE_MM < person.agreement.joints_mm < np.inf:
            suspects.append(person)
        else:
            stable = stable.worst_of(person.agreement)
    count = len(suspects)
    for runner in perturbed:
        if not suspects:
            break
        moved = runner.run(batch)
        suspects = [one for one in suspects if not one.moves_in(moved)]
    for person in suspects:
        stable = stable.worst_of(person.agreement)
    return stable, count - len(suspects)


@dataclass(frozen=True, slots=True)
class _Person:
    """One person of a batch, compared with whoever lies nearest in the same item."""

    item: int
    outputs: Arrays
    agreement: Agreement

    def moves_in(self, outputs: Arrays) -> bool:
        """Whether other outputs of the same batch place this person more than the tolerance away."""
        moved_mm = agreement(self.outputs, _item(outputs, self.item)).joints_mm
        return TOLERANCE_MM < moved_mm < np.inf


def _people(want: Arrays, got: Arrays, min_score: float) -> Iterator[_Person]:
    """Each person of `want` alone, with the agreement of `got` about them."""
    for item, *slot in np.argwhere(want["score"] >= min_score).tolist():
        outputs = _item(want, item)
        if slot:  # coarse: [1, slots, ...]
            outputs = {name: array[:, slot] for name, array in outputs.items()}
        found = agreement(outputs, _item(got, item))
        yield _Person(item=item, outputs=outputs, agreement=found)


def merged(batches: Iterable[Arrays], most: int = 8) -> list[dict[str, NDArray[Any]]]:
    """Batches of up to `most` items, each of inputs of one shape."""
    by_shape: dict[tuple[tuple[int, ...], ...], list[Arrays]] = {}
    for batch in batches:
        shapes = tuple(array.shape[1:] for array in batch.values())
        by_shape.setdefault(shapes, []).append(batch)
    joined: list[dict[str, NDArray[Any]]] = []
    for group in by_shape.values():
        whole = _stacked(group)
        for start in range(0, _length(whole), most):
            rows = slice(start, start + most)
            joined.append({name: array[rows] for name, array in whole.items()})
    return joined


def _length(batch: Arrays) -> int:
    return len(next(iter(batch.values())))


def _item(batch: Arrays, index: int) -> dict[str, NDArray[Any]]:
    """One item as a batch of its own."""
    return {name: array[[index]] for name, array in batch.items()}


def _items(batch: Arrays) -> Iterator[dict[str, NDArray[Any]]]:
    for index in range(_length(batch)):
        yield _item(batch, index)


def _stacked(parts: Iterable[Arrays]) -> dict[str, NDArray[Any]]:
    rows = list(parts)
    return {name: np.concatenate([row[name] for row in rows]) for name in rows[0]}
