"""Records whose fields are arrays in step: one row an item, cut and repeated together."""

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Any, Self

from numpy.typing import NDArray

Change = Callable[[NDArray[Any]], NDArray[Any]]


@dataclass(frozen=True, eq=False)
class Columns:
    """Base of such a record; a field is an array or another such record."""

    def mapped(self, change: Change) -> Self:
        """A copy with `change` applied to every column."""
        return replace(
            self,
            **{
                name: value.mapped(change) if isinstance(value, Columns) else change(value)
                for name, value in self._columns().items()
            },
        )

    def taken(self, rows: Any) -> Self:
        """A copy with the rows of a mask, a slice or indices."""
        return self.mapped(lambda column: column[rows])

    def _columns(self) -> dict[str, Any]:
        return {field.name: getattr(self, field.name) for field in fields(self)}
