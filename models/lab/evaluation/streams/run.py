"""All systems on a film, in frame order and by the frames' own times: the cascade with and without what the service
does to a stream, peers frame by frame."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from posecascade.models.cascade.cascade import Cascade
from posecascade.models.lab.datasets.labelled import LabelledFrame
from posecascade.models.lab.evaluation.streams.manifest_cost import run_at_manifest_cost
from posecascade.models.lab.evaluation.streams.paths import (
    Paths,
    Sighting,
    said_paths,
    true_paths,
)
from posecascade.models.lab.scoring.answers import Guess, System
from posecascade.models.lab.scoring.films import Film
from posecascade.models.options import Options, Quality
from posecascade.models.tracking.stream import StreamState


@dataclass(frozen=True, slots=True, eq=False)
class FilmRun:
    """Every system on one film."""

    film: Film
    truth: Paths
    said: Mapping[str, Paths]
    """By the system's name."""


def names(quality: Quality) -> tuple[str, str]:
    """Of our two rows: as the cascade says it, and as the stream shows it."""
    return f"{quality}, each frame by itself", f"{quality}, smoothed"


def run_film(
    film: Film,
    cascade: Cascade,
    qualities: Sequence[Quality],
    peers: Sequence[System],
    progress: Callable[[Sequence[LabelledFrame]], Iterable[LabelledFrame]] = iter,
) -> FilmRun:
    """Each system's paths. What the stream shows reuses deep looks and is smoothed, as the service does it; what the
    cascade says is of each frame by itself, and a stream of its own gives it its ids. A look takes what the manifest
    says.

    Args:
        progress: wraps the frames, such as a progress bar.
    """
    said: dict[str, list[list[Sighting]]] = {}
    followers = {quality: (StreamState(), StreamState()) for quality in qualities}
    for frame, time_s in zip(progress(film.frames), film.times_s, strict=True):
        image = frame.image_bgr()
        for quality, (plain, stream) in followers.items():
            options = Options(quality=quality, camera=frame.camera)
            raw, _ = run_at_manifest_cost(cascade, image, options, None)
            plain.begin(float(time_s), float(time_s))
            smoothed = stream.follow(
                run_at_manifest_cost(
                    cascade, image, options, stream.begin(float(time_s), float(time_s))
                )[0]
            )
            for name, answer, followed in zip(
                names(quality),
                (raw, smoothed),
                (plain.follow(raw), smoothed),
                strict=True,
            ):
                said.setdefault(name, []).append(
                    [
                        Sighting(Guess.of(person), same.id)
                        for person, same in zip(
                            answer.people, followed.people, strict=True
                        )
                    ]
                )
        for peer in peers:
            said.setdefault(peer.name, []).append(
                [Sighting(guess) for guess in peer.people(image, frame.camera)]
            )
    return FilmRun(
        film,
        true_paths(film),
        {name: said_paths(film, frames) for name, frames in said.items()},
    )
