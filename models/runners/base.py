"""The contract of a runner: the executor of one stage on one runtime."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from numpy.typing import NDArray

from posecascade.models.records import Stage

Arrays = Mapping[str, NDArray[Any]]
"""Named arrays that share their first axis, the items of a batch."""


class Runner(Protocol):
    """Turns one batch into named outputs. An item's result depends on neither its place nor its neighbours."""

    @property
    def provider(self) -> str:
        """What the stage *really* runs on, e.g. `CPUExecutionProvider`."""

    def run(self, batch: Arrays) -> dict[str, NDArray[Any]]:
        """Outputs [N, ...] for inputs [N, ...], N >= 1.

        Raises:
            StageDown: the runtime failed.
        """

    def close(self) -> None:
        """Frees the runtime; `run` must not be called afterwards."""


@dataclass(frozen=True, slots=True)
class StageBatch:
    """A request to run one stage: what the cascade asks its driver for."""

    stage: Stage
    inputs: Arrays = field(repr=False)

    @property
    def items(self) -> int:
        return len(next(iter(self.inputs.values())))
