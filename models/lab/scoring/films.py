"""Films with exact truth: labelled folders whose pictures have times and whose people have ids."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np

from posecascade.models.arrays import Floats
from posecascade.models.lab.datasets.errors import LabelsError
from posecascade.models.lab.datasets.labelled import LabelledFrame, read_folder
from posecascade.models.lab.scoring.matching import counted

SEEDS: Final = (10, 11, 13, 17, 21, 34)
"""Of the first forty films, chosen by the truth before any system had seen them: two to six people of some size who
stay in the picture, some of them quiet and some not; the camera stands as that of a live stream, and pans in the first.
"""

UNEVEN: Final = 0.05
"""Of the frame interval, by which a frame may be early or late: accelerations are differences of frames."""


@dataclass(frozen=True, slots=True)
class Shooting:
    """How films are rendered; part of their folders' names, so that another one is rendered anew."""

    size_px: int = 512
    fps: float = 25.0
    frames: int = 48

    def folder(self, under: Path, seed: int) -> Path:
        return under / f"dev_{self.size_px}px_{self.fps:g}fps_{self.frames}f_{seed}"


USUAL: Final = Shooting()


@dataclass(frozen=True, slots=True, eq=False)
class Film:
    """Frames in their order and who of the people is who."""

    name: str
    frames: tuple[LabelledFrame, ...]
    times_s: Floats
    """[T] rising, evenly spaced."""

    ids: tuple[int, ...]
    """Everyone who counts in some frame, ascending."""

    @property
    def fps(self) -> float:
        return float((len(self.times_s) - 1) / (self.times_s[-1] - self.times_s[0]))


def read_film(folder: Path) -> Film:
    """A labelled folder as a film.

    Raises:
        LabelsError: what `read_folder` raises; fewer than three frames; a frame without time or unevenly spaced; a
            person without id.
    """
    read = read_folder(folder)
    return _film(folder, read.name, read.frames)


def read_views(folder: Path, rate: float) -> list[Film]:
    """A labelled folder of several cameras as one film each, in the cameras' order by name.

    Args:
        folder: its pictures say `camera` and a whole number `frame`.
        rate: of the frames' numbers, a second.

    Raises:
        LabelsError: as `read_film`; a picture without camera or number.
    """
    read = read_folder(folder)
    unknown = [
        frame.path.name
        for frame in read.frames
        if not (frame.view and frame.moment.isdecimal())
    ]
    if unknown:
        raise LabelsError(
            f"{folder}: want a `camera` and a whole number `frame` for every picture, {unknown[0]} has "
            "none; leave `--frame-rate` out for films whose pictures have `time_s`"
        )
    views: dict[str, list[LabelledFrame]] = {}
    for frame in sorted(read.frames, key=lambda frame: (frame.view, int(frame.moment))):
        views.setdefault(frame.view, []).append(
            replace(frame, time_s=int(frame.moment) / rate)
        )
    return [
        _film(folder, f"{read.name}, {view}", tuple(frames))
        for view, frames in views.items()
    ]


def _film(folder: Path, name: str, frames: tuple[LabelledFrame, ...]) -> Film:
    times = np.array(
        [np.nan if frame.time_s is None else frame.time_s for frame in frames]
    )
    if len(times) < 3 or not np.isfinite(times).all():
        raise LabelsError(
            f"{folder}: want a film of 3 frames or more, each with `time_s`, got {len(times)} frames, "
            f"{int(np.isfinite(times).sum())} with a time; render one with "
            "`python -m posecascade.models.lab.rendering --labels FOLDER --fps 25 --split dev`"
        )
    steps = np.diff(times)
    if not (np.abs(steps - steps.mean()) <= UNEVEN * steps.mean()).all():
        raise LabelsError(
            f"{folder}: want evenly spaced frames, got {steps.min():.4f} to {steps.max():.4f} s between "
            "two of them; sort them by time and leave none out"
        )
    people = [person.id for frame in frames for person in counted(frame)]
    if any(person_index is None for person_index in people):
        raise LabelsError(
            f"{folder}: want an `id` for every person, the same through the film"
        )
    return Film(
        name,
        frames,
        times,
        tuple(
            sorted(
                {person_index for person_index in people if person_index is not None}
            )
        ),
    )


def rendered(
    under: Path,
    seeds: Sequence[int],
    shooting: Shooting,
    assets: Path | None = None,
    progress: Callable[[Sequence[int]], Iterable[int]] = iter,
) -> list[Path]:
    """The folders of rendered films, one a seed; those that are there already are left as they are.

    Args:
        progress: wraps the seeds that are rendered, such as a progress bar: a film takes a minute on two cores.

    Raises:
        MissingData: the renderer's assets are absent.
    """
    folders = {seed: shooting.folder(under, seed) for seed in seeds}
    missing = [
        seed
        for seed, folder in folders.items()
        if not (folder / "labels.json").is_file()
    ]
    if not missing:
        return list(folders.values())
    # Seconds of torch and numba, for those who render only.
    from posecascade.models.lab.rendering import SyntheticPeople
    from posecascade.models.lab.rendering.labels import write_labelled

    source = SyntheticPeople(assets, "dev", shooting.size_px)
    for seed in progress(missing):
        film = source.sequence(seed, shooting.frames, shooting.fps, batch=8)
        write_labelled(folders[seed], [film], "dev", shooting.fps)
    return list(folders.values())
