"""Records whose fields are arrays in step: one row an item, cut and repeated together."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import torch

Change = Callable[[Any], Any]


@dataclass(frozen=True, eq=False)
class Columns:
    """Base of such a record; a field is an array or another such record."""

    if TYPE_CHECKING:  # a record that was read from a shard has the fields of its kind

        def __getattr__(self, name: str) -> Any: ...

    def mapped(self, change: Change) -> Self:
        """A copy with `change` applied to every column."""
        return replace(
            self,
            **{
                name: value.mapped(change)
                if isinstance(value, Columns)
                else change(value)
                for name, value in self._columns().items()
            },
        )

    def taken(self, rows: Any) -> Self:
        """A copy with the rows of a mask, a slice or indices."""
        return self.mapped(lambda column: column[rows])

    def tensors(self, device: torch.device) -> Any:
        """A copy whose fields are tensors on the device: reals as float32, whole numbers as int64."""

        def moved(column: Any) -> torch.Tensor:
            dtype = {"f": torch.float32, "b": torch.bool}.get(
                np.asarray(column).dtype.kind, torch.int64
            )
            return torch.as_tensor(np.asarray(column), dtype=dtype).to(device)

        return self.mapped(moved)

    @classmethod
    def joined(cls, parts: Sequence[Any]) -> Any:
        """The rows of one record of tensors or more, one after another."""
        columns = {}
        for name, value in parts[0]._columns().items():
            of_parts = [getattr(part, name) for part in parts]
            columns[name] = (
                type(value).joined(of_parts)
                if isinstance(value, Columns)
                else torch.cat(of_parts)
            )
        return cls(**columns)

    def _columns(self) -> dict[str, Any]:
        return {field.name: getattr(self, field.name) for field in fields(self)}
