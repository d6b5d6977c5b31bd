"""All systems on all frames in one pass: frame by frame in turn, so that a busy machine slows all of them alike."""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from posecascade.models.lab.datasets.labelled import LabelledFrame
from posecascade.models.lab.scoring.answers import Guess, System
from posecascade.models.lab.scoring.scoring import FrameScore, score_frame


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """One system on the frames of one folder, in their order."""

    name: str
    guesses: tuple[tuple[Guess, ...], ...]
    scores: tuple[FrameScore, ...]

    @property
    def says_3d(self) -> bool:
        return any(
            guess.joints_rel_mm is not None for frame in self.guesses for guess in frame
        )


def run(
    systems: Sequence[System],
    frames: Sequence[LabelledFrame],
    *,
    progress: Callable[[Sequence[LabelledFrame]], Iterable[LabelledFrame]] = iter,
    clock: Callable[[], float] = time.perf_counter,
    cpu_clock: Callable[[], float] = time.process_time,
) -> list[Run]:
    """Answers and scores of each system; one call each on the first frame goes untimed before.

    Args:
        progress: wraps the frames, such as a progress bar.
        clock: wall time in seconds.
        cpu_clock: this process's CPU time in seconds, all threads.
    """
    guesses: list[list[tuple[Guess, ...]]] = [[] for _ in systems]
    scores: list[list[FrameScore]] = [[] for _ in systems]
    first = frames[0].image_bgr()
    for system in systems:
        system.people(first, frames[0].camera)
    for frame in progress(frames):
        image = frame.image_bgr()
        for column, system in enumerate(systems):
            wall = clock()
            cpu = cpu_clock()
            people = tuple(system.people(image, frame.camera))
            cpu_ms = 1000 * (cpu_clock() - cpu)
            wall_ms = 1000 * (clock() - wall)
            guesses[column].append(people)
            scores[column].append(
                score_frame(frame, people).timed(cpu_ms=cpu_ms, wall_ms=wall_ms)
            )
    return [
        Run(system.name, tuple(g), tuple(s))
        for system, g, s in zip(systems, guesses, scores, strict=True)
    ]
