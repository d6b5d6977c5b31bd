"""Runs a cascade generator to its end: the one loop between the cascade and its runners."""

from collections.abc import Callable, Generator, Mapping
from typing import Any, TypeAlias, TypeVar

from numpy.typing import NDArray

from posecascade.models.errors import DeepStagesSkipped, StageDown
from posecascade.models.runners.base import StageBatch

Outputs: TypeAlias = Mapping[str, NDArray[Any]]
Result = TypeVar("Result")
Steps: TypeAlias = Generator[StageBatch, Outputs, Result]
"""Yields the batches that it needs run, is sent their outputs, and returns its result."""


def drive(steps: Steps[Result], run: Callable[[StageBatch], Outputs]) -> Result:
    """The result of `steps`, each of its batches answered by `run`.

    Args:
        steps: has not been started.
        run: the outputs of a batch. `StageDown` and `DeepStagesSkipped` are thrown into `steps`, which may go on
            without the batch; any other error ends the frame.
    """
    try:
        batch = next(steps)
        while True:
            try:
                outputs = run(batch)
            except (StageDown, DeepStagesSkipped) as error:
                batch = steps.throw(error)
            else:
                batch = steps.send(outputs)
    except StopIteration as finished:
        result: Result = finished.value
        return result
