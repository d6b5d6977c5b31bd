"""What the paths of a command line stand for: pictures and videos, and a name for the results of each."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

PICTURES: Final = frozenset(
    (".jpg", ".jpeg", ".jpe", ".png", ".webp", ".bmp", ".dib", ".tif", ".tiff", ".gif")
)
VIDEOS: Final = frozenset(
    (
        ".mp4",
        ".m4v",
        ".mov",
        ".avi",
        ".mkv",
        ".webm",
        ".mpg",
        ".mpeg",
        ".ts",
        ".m2ts",
        ".wmv",
        ".flv",
        ".3gp",
        ".ogv",
        ".mjpeg",
        ".mjpg",
    )
)


@dataclass(frozen=True, slots=True)
class Source:
    """One input."""

    path: Path
    name: str
    """For the files of its results: the path's stem, with a number where several inputs share it."""

    @property
    def is_video(self) -> bool:
        return self.path.suffix.lower() in VIDEOS


def sources_of(paths: Iterable[Path]) -> list[Source]:
    """Files as they are given; of a folder all pictures and videos below it, in the order of their names.

    A path that does not exist, or a folder without any, stays in the list: opening it reports what is wrong.
    """
    taken: set[str] = set()
    return [
        Source(path, _unique(path.stem, taken))
        for given in paths
        for path in _files(given)
    ]


def _files(path: Path) -> Iterator[Path]:
    if not path.is_dir():
        yield path
        return
    below = sorted(
        found for found in path.rglob("*") if found.suffix.lower() in PICTURES | VIDEOS
    )
    yield from [
        found for found in below if found.is_file() and not found.name.startswith(".")
    ] or [path]


def _unique(stem: str, taken: set[str]) -> str:
    number = 1
    name = stem
    while name in taken:
        number += 1
        name = f"{stem}_{number}"
    taken.add(name)
    return name
