"""Commands that live outside of the serving path, and are imported by name when they are asked for.

They need packages that serving does not have; an import statement here would tie it to them.
"""

import importlib
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from service.streams.session import Session


@dataclass(frozen=True, slots=True)
class Deferred:
    """One command of another part."""

    module: str
    """Has `main(argv, **lent) -> int`."""
    extra: str
    """What to install for it."""
    summary: str
    lent: Mapping[str, Callable[[], object]] = field(default_factory=dict)
    """What of the service it is handed, for it lies below the service and may not import it."""


DEFERRED: Final = {
    "eval": Deferred("models.evaluation.cli", "train", "score the cascade on labelled frames", {"follower": Session}),
    "calibrate": Deferred("models.calibration.own", "train", "promise anew on your own footage, without labels"),
    "train": Deferred("models.training.cli", "train", "train a stage by a recipe"),
    "export": Deferred("export.cli", "train", "write the stages as ONNX and build engines"),
}
_OURS: Final = ("service", "models", "export")


def run_deferred(name: str, argv: Sequence[str]) -> int:
    """The command's own exit status; 2 where a package that it needs is not installed."""
    tool = DEFERRED[name]
    try:
        module = importlib.import_module(tool.module)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.split(".")[0] in _OURS:
            raise
        print(f"posecascade {name} needs the package {error.name!r}, which is not installed: "
              f"pip install 'posecascade[{tool.extra}]'", file=sys.stderr)
        return 2
    try:
        return int(module.main(list(argv), **tool.lent) or 0)
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    except KeyboardInterrupt:
        return 130
