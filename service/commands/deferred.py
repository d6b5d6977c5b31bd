"""Commands outside of the serving path, imported by name when they are called.

They need packages that serving does not have; an import statement here would tie it to them.
"""

import importlib
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Deferred:
    """One command of another part."""

    module: str
    """Has `main(argv) -> int`."""
    extra: str
    """What to install for it."""
    summary: str


DEFERRED: Final = {
    "eval": Deferred(
        "posecascade.models.lab.evaluation.command",
        "train",
        "score the cascade on labelled frames",
    ),
    "calibrate": Deferred(
        "posecascade.models.lab.fitting.own_footage",
        "calibrate",
        "calibrate operating points on your own footage, without labels",
    ),
    "train": Deferred(
        "posecascade.models.lab.training.command", "train", "train a stage by a recipe"
    ),
    "export": Deferred(
        "posecascade.export.command",
        "train",
        "write the stages as ONNX and build engines",
    ),
}
_OURS: Final = ("posecascade",)


def run_deferred(name: str, argv: Sequence[str]) -> int:
    """The command's own exit status; 2 where a package that it needs is not installed."""
    tool = DEFERRED[name]
    try:
        module = importlib.import_module(tool.module)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.split(".")[0] in _OURS:
            raise
        hint = (
            f"posecascade {name} needs the package {error.name!r}, which is not "
            f"installed: pip install 'posecascade[{tool.extra}]'"
        )
        if set(argv) & {"-h", "--help"}:
            print(f"usage: posecascade {name} ...\n\n{tool.summary}\n\n{hint}")
            return 0
        print(hint, file=sys.stderr)
        return 2
    try:
        return int(module.main(list(argv)) or 0)
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    except KeyboardInterrupt:
        return 130
