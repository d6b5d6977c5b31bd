from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from posecascade.models.arrays import Image
from posecascade.models.lab.datasets.labelled import LabelledFrame, read_folder
from posecascade.models.lab.scoring.answers import Guess
from posecascade.models.lab.scoring.run import run
from posecascade.models.records import Camera
from tests.models.lab.evaluation.crowd import crowd


@dataclass
class Told:
    """Says what it was told to, frame by frame, on a clock of its own."""

    name: str
    guesses: list[list[Guess]]
    takes_s: float
    time: list[float]
    calls: list[str] = field(default_factory=list)

    def people(self, image_bgr: Image, camera: Camera | None) -> list[Guess]:
        self.calls.append(self.name)
        self.time[0] += self.takes_s
        return self.guesses[max(0, len([c for c in self.calls if c == self.name]) - 2)]


def frames_on_disk(folder: Path) -> tuple[list[list[Guess]], tuple[LabelledFrame, ...]]:
    guesses = crowd(folder, frames=3)
    return guesses, read_folder(folder).frames


def test_systems_take_turns_frame_by_frame_after_one_untimed_call_each(
    tmp_path: Path,
) -> None:
    guesses, frames = frames_on_disk(tmp_path)
    time = [0.0]
    calls = []
    systems = [
        Told("a", guesses, 0.010, time, calls),
        Told("b", guesses, 0.020, time, calls),
    ]

    runs = run(systems, frames, clock=lambda: time[0], cpu_clock=lambda: 2 * time[0])

    assert calls == ["a", "b"] * 4
    assert [run.name for run in runs] == ["a", "b"]
    assert np.allclose(
        [[score.wall_ms for score in run.scores] for run in runs], [[10] * 3, [20] * 3]
    )
    assert np.allclose(
        [[score.cpu_ms for score in run.scores] for run in runs], [[20] * 3, [40] * 3]
    )
    assert [list(people) for people in runs[0].guesses] == guesses


def test_a_run_says_3d_as_soon_as_one_person_has_it(tmp_path: Path) -> None:
    guesses, frames = frames_on_disk(tmp_path)
    flat = [[Guess(guess.joints_px, 1.0) for guess in found] for found in guesses]
    time = [0.0]

    deep, shallow = run(
        [Told("3d", guesses, 0, time, []), Told("2d", flat, 0, time, [])], frames
    )

    assert deep.says_3d
    assert not shallow.says_3d
