"""What the commands of `posecascade eval` share: options, folders, progress bars, and the error of one line."""

import argparse
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from tqdm import tqdm

from posecascade.models.cascade.cascade import Cascade
from posecascade.models.lab.datasets.labelled import (
    LabelledFolder,
    LabelledFrame,
    read_folder,
)
from posecascade.models.manifest import WEIGHTS

PEERS: Final = Path("../shared/peers")


class UsageError(ValueError):
    """The command line asks for what cannot be; one line."""


Load = Callable[..., Cascade]


def add_data(parser: argparse.ArgumentParser) -> None:
    """The options of commands that read labelled folders."""
    parser.add_argument(
        "--data",
        type=Path,
        nargs="+",
        required=True,
        metavar="FOLDER",
        help="labelled folders, each with a labels.json",
    )
    parser.add_argument(
        "--every",
        type=int,
        default=1,
        metavar="N",
        help="only each N-th frame of a folder",
    )
    add_cascade(parser)


def add_cascade(parser: argparse.ArgumentParser) -> None:
    """The options of commands that run our cascade."""
    parser.add_argument(
        "--weights",
        type=Path,
        default=WEIGHTS,
        metavar="FOLDER",
        help="default: those that ship",
    )
    parser.add_argument(
        "--threads",
        type=int,
        default=2,
        metavar="N",
        help="of each network's run (default 2)",
    )


def folders(args: argparse.Namespace) -> list[LabelledFolder]:
    """The labelled folders that were asked for.

    Raises:
        UsageError: a number is too small, or two folders have one name.
    """
    for name in ("every", "threads"):
        if getattr(args, name) < 1:
            raise UsageError(f"--{name} must be 1 or more, got {getattr(args, name)}")
    folders = [read_folder(folder) for folder in args.data]
    if len({folder.name for folder in folders}) < len(folders):
        raise UsageError(
            f"--data names must differ, got {', '.join(folder.name for folder in folders)}"
        )
    return [replace(folder, frames=folder.frames[:: args.every]) for folder in folders]


def out_folder(path: Path) -> Path:
    """The folder, made where it was not there."""
    path.mkdir(parents=True, exist_ok=True)
    return path


def bar(name: str, frames: Sequence[LabelledFrame]) -> Iterable[LabelledFrame]:
    """The frames behind a progress bar, where there is a terminal."""
    bar: Iterable[LabelledFrame] = tqdm(
        frames, desc=name, unit="frame", leave=False, disable=None
    )
    return bar
