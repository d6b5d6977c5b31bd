"""Real frames, and the inputs that each stage gets for them: what exports are checked with."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from posecascade.models.arrays import Image
from posecascade.models.calibration import Calibration
from posecascade.models.cascade.cascade import Cascade
from posecascade.models.lab.fitting.calibration import neutral
from posecascade.models.manifest import CONTRACT, Manifest, StageSpec
from posecascade.models.options import Options, Quality
from posecascade.models.records import Stage
from posecascade.models.runners import Arrays, Runner

PICTURES = {".jpg", ".jpeg", ".png", ".webp"}
VIDEOS = {".mp4", ".mkv", ".mov", ".avi", ".webm"}
FRAMES_A_VIDEO = 4
FRAMES_APART = 20

MAX_PEOPLE = 8
"""Of a frame; their crops are the batch that deep stages are checked at."""


def read_frames(paths: Iterable[Path]) -> Iterator[Image]:
    """Pictures as they are and a few frames of each video; folders are searched for both.

    Raises:
        ValueError: a file cannot be read, or there is none.
    """
    files = [
        file
        for path in paths
        for file in (sorted(path.iterdir()) if path.is_dir() else [path])
    ]
    files = [file for file in files if file.suffix.lower() in PICTURES | VIDEOS]
    if not files:
        raise ValueError(
            f"want pictures or videos, found none in {', '.join(map(str, paths))}"
        )
    for file in files:
        yield from _video(file) if file.suffix.lower() in VIDEOS else (_picture(file),)


def _picture(path: Path) -> Image:
    picture = cv2.imread(str(path))
    if picture is None:
        raise ValueError(f"{path} is no picture that can be read")
    return np.asarray(picture, np.uint8)


def _video(path: Path) -> list[Image]:
    video = cv2.VideoCapture(str(path))
    found: list[Image] = []
    for index in range(FRAMES_A_VIDEO * FRAMES_APART):
        good, frame = video.read()
        if good and index % FRAMES_APART == 0:
            found.append(np.asarray(frame, np.uint8))
    video.release()
    if not found:
        raise ValueError(f"{path} is no video that can be read")
    return found


class _Recorder:
    """Passes batches on and remembers them."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner
        self.provider = runner.provider
        self.batches: list[Arrays] = []

    def run(self, batch: Arrays) -> dict[str, NDArray[Any]]:
        self.batches.append(batch)
        return self._runner.run(batch)

    def close(self) -> None:
        self._runner.close()


def stage_inputs(
    specs: Mapping[Stage, StageSpec],
    runners: Mapping[Stage, Runner],
    frames: Iterable[Image],
    *,
    min_score: float,
) -> dict[Stage, list[Arrays]]:
    """The batches that the cascade gives each stage when everybody goes through all three."""
    recorders = {stage: _Recorder(runner) for stage, runner in runners.items()}
    cascade = Cascade(_manifest(specs, min_score), recorders)
    for frame in frames:
        cascade.predict(frame, Options(quality=Quality.BEST, max_people=MAX_PEOPLE))
    return {stage: recorder.batches for stage, recorder in recorders.items()}


def _manifest(specs: Mapping[Stage, StageSpec], min_score: float) -> Manifest:
    """Of weights that are not calibrated yet."""
    return Manifest(
        name="posecascade",
        version="",
        contract=CONTRACT,
        skeleton="cascade25",
        people_slots=0,
        min_score=min_score,
        stages=specs,
        calibration=Calibration.read(neutral()),
        weights_sha256="",
        folder=Path(),
    )
