"""Sizes and speed: megabytes, cold start, memory, and milliseconds per frame against the number of people in it.

Frames are 1280 x 720 JPEGs with copies of one person of a real photo. Decoding is part of what is timed. All
contestants take turns on each frame, so that a busy machine slows all of them alike.
"""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from posecascade.models.arrays import Floats, Image
from posecascade.models.cascade.cascade import Cascade
from posecascade.models.lab.evaluation.peers import Skipped
from posecascade.models.lab.evaluation.tables import table
from posecascade.models.manifest import Manifest
from posecascade.models.options import Quality
from posecascade.models.records import Stage

SIZE_WH_PX: Final = (1280, 720)
PEOPLE: Final = (0, 1, 2, 4, 8, 16)
MARGIN: Final = 0.1
"""Of the person's height, left round the cut-out."""

Contestant = Callable[[Image], int]
"""Finds the people of a picture and says how many."""

_START = """
import json, sys, time
from pathlib import Path
from posecascade.models.cascade.cascade import Cascade
cascade = Cascade.load(Path(sys.argv[1]), threads=int(sys.argv[2]))
cascade.warm_up()
status = Path("/proc/self/status").read_text()
print(json.dumps({"rss_kb": int(status.split("VmRSS:")[1].split()[0])}))
"""


@dataclass(frozen=True, slots=True)
class Timing:
    """One contestant on one frame."""

    contestant: str
    people: int
    """Shown."""
    found: int
    wall_ms: float
    """Median."""
    wall_p95_ms: float
    cpu_ms: float
    """Median of this process's CPU time, all threads."""
    repeats: int


@dataclass(frozen=True, slots=True)
class Start:
    """A fresh process until it can answer."""

    what: str
    ready_s: float
    """Median, from the spawn."""
    rss_mb: float
    """Resident when ready."""


def cut_person(photo: Image, box_xywh_px: Floats) -> Image:
    """The part of the photo that shows one person."""
    x, y, w, h = (float(value) for value in box_xywh_px)
    pad = MARGIN * h
    x0 = int(max(x - pad, 0))
    y0 = int(max(y - pad, 0))
    return photo[y0 : int(y + h + pad), x0 : int(x + w + pad)]


def crowd(cut: Image, people: int) -> Image:
    """[720, 1280, 3] `people` copies side by side, in two rows from five on, on a canvas of the mean colour."""
    width, height = SIZE_WH_PX
    canvas: Image = np.full((height, width, 3), cut.mean((0, 1)), np.uint8)
    rows, columns = (1, max(people, 2)) if people <= 4 else (2, -(-people // 2))
    cell_h = height // rows
    cell_w = width // columns
    scale = 0.95 * min(cell_h / cut.shape[0], cell_w / cut.shape[1])
    small = np.asarray(
        cv2.resize(cut, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA),
        np.uint8,
    )
    for number in range(people):
        y = cell_h * (number // columns)
        x = cell_w * (number % columns)
        canvas[y : y + small.shape[0], x : x + small.shape[1]] = small
    return canvas


def as_jpeg(picture: Image) -> NDArray[np.uint8]:
    """What a client would send."""
    written, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 90])
    if not written:
        raise ValueError(f"cannot encode a picture of shape {picture.shape}")
    return np.asarray(data, np.uint8)


def qualities(cascade: Cascade) -> dict[str, Contestant]:
    """The cascade at each quality."""

    def at(quality: Quality) -> Contestant:
        return lambda picture: len(cascade.predict(picture, quality=quality).people)

    return {quality.value: at(quality) for quality in Quality}


def largest_box(cascade: Cascade, photo: Image) -> Floats:
    """[4] left, top, width, height of the largest person that `coarse` finds.

    Raises:
        ValueError: it finds nobody.
    """
    people = cascade.predict(photo, quality=Quality.FAST).people
    if not people:
        raise ValueError("nobody found in the photo")
    return max(
        (person.box_xywh_px for person in people),
        key=lambda box: float(box[2] * box[3]),
    )


def measure(
    contestants: Mapping[str, Contestant],
    pictures: Mapping[int, Image],
    repeats: int,
    clock: Callable[[], float] = time.perf_counter,
    cpu_clock: Callable[[], float] = time.process_time,
) -> list[Timing]:
    """Times everyone on everything, in turn; each pair is called once untimed before.

    Args:
        contestants: by name.
        pictures: by the number of people shown.
        repeats: timed calls of each pair.
        clock: seconds.
        cpu_clock: seconds.
    """
    jpegs = {people: as_jpeg(picture) for people, picture in pictures.items()}
    pairs = [(name, people) for people in jpegs for name in contestants]
    found = {
        (name, people): _answer(contestants[name], jpegs[people])
        for name, people in pairs
    }
    wall: dict[tuple[str, int], list[float]] = {pair: [] for pair in pairs}
    cpu: dict[tuple[str, int], list[float]] = {pair: [] for pair in pairs}
    for _ in range(repeats):
        for pair in pairs:
            began = clock()
            cpu_began = cpu_clock()
            _answer(contestants[pair[0]], jpegs[pair[1]])
            cpu[pair].append(1000 * (cpu_clock() - cpu_began))
            wall[pair].append(1000 * (clock() - began))
    return [
        Timing(
            *pair,
            found[pair],
            float(np.median(wall[pair])),
            float(np.percentile(wall[pair], 95)),
            float(np.median(cpu[pair])),
            repeats,
        )
        for pair in pairs
    ]


def _answer(contestant: Contestant, jpeg: NDArray[np.uint8]) -> int:
    return contestant(np.asarray(cv2.imdecode(jpeg, cv2.IMREAD_COLOR), np.uint8))


def weights_mb(manifest: Manifest) -> dict[Stage, float]:
    """Megabytes (10^6 bytes) of each stage's file."""
    return {stage: spec.bytes / 1e6 for stage, spec in manifest.stages.items()}


def cascade_start(weights: Path, threads: int, repeats: int) -> Start:
    """A Python process that imports, loads and warms up the cascade, until it says so.

    Raises:
        OSError: it failed; with its last line.
    """
    times = []
    rss = 0.0
    for _ in range(repeats):
        began = time.perf_counter()
        command = [sys.executable, "-c", _START, str(weights), str(threads)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        times.append(time.perf_counter() - began)
        if done.returncode:
            raise OSError((done.stderr.strip().splitlines() or ["no output"])[-1])
        rss = json.loads(done.stdout)["rss_kb"] * 1024 / 1e6
    return Start("cascade in a Python process", float(np.median(times)), rss)


def service_start(
    weights: Path, threads: int, repeats: int, timeout_s: float = 60.0
) -> Start:
    """`posecascade serve`, until `/v1/health/ready` answers 200.

    Raises:
        OSError: it ended or did not get ready in time.
    """
    times = []
    rss = 0.0
    for _ in range(repeats):
        port = _free_port()
        command = [
            sys.executable,
            "-m",
            "posecascade.service.cli",
            "serve",
            "--port",
            str(port),
            "--weights",
            str(weights),
            "--threads",
            str(threads),
            "--log-level",
            "error",
        ]
        began = time.perf_counter()
        with subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as server:
            try:
                _wait_until_ready(server, port, began + timeout_s)
                times.append(time.perf_counter() - began)
                rss = rss_mb(server.pid)
            finally:
                server.terminate()
    return Start("posecascade serve", float(np.median(times)), rss)


def _wait_until_ready(
    server: subprocess.Popen[bytes], port: int, deadline: float
) -> None:
    while time.perf_counter() < deadline:
        if server.poll() is not None:
            raise OSError(
                f"posecascade serve ended with status {server.returncode} before it was ready"
            )
        try:
            with urllib.request.urlopen(
                f"http://127.0.0.1:{port}/v1/health/ready", timeout=5
            ):
                return
        except (
            urllib.error.URLError,
            ConnectionError,
        ):  # not listening yet, or 503: starting
            time.sleep(0.02)
    raise OSError("posecascade serve did not get ready in time")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def rss_mb(pid: int | None = None) -> float:
    """Resident memory of a process, 10^6 bytes; ours by default."""
    status = Path(f"/proc/{pid or os.getpid()}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) * 1024 / 1e6


@dataclass(frozen=True, slots=True)
class SpeedReport:
    """Everything that one call of `posecascade eval speed` found out."""

    weights_mb: Mapping[Stage, float]
    starts: tuple[Start, ...]
    timings: tuple[Timing, ...]
    skipped: tuple[Skipped, ...]
    conditions: Mapping[str, str]


def as_markdown(report: SpeedReport) -> str:
    """Sizes, starts and times as tables."""
    total = sum(report.weights_mb.values())
    box_scales = [[*(f"{mb:.1f}" for mb in report.weights_mb.values()), f"{total:.1f}"]]
    starts = [
        [start.what, f"{start.ready_s:.2f}", f"{start.rss_mb:.0f}"]
        for start in report.starts
    ]
    parts = [
        "# Sizes and speed",
        "; ".join(f"{key}: {value}" for key, value in report.conditions.items()),
        table(
            [*(f"{stage} MB" for stage in report.weights_mb), "together MB"], box_scales
        ),
    ]
    parts += (
        [table(["cold start", "seconds to ready", "resident MB"], starts)]
        if starts
        else []
    )
    parts += [
        "1280 x 720, JPEG decoding included. Wall ms median / p95, CPU ms median (people found)."
    ]
    parts += [table(*timing_table(report.timings))]
    parts += [f"Skipped: {skip.name}: {skip.reason}" for skip in report.skipped]
    return "\n\n".join(parts) + "\n"


def timing_table(timings: Sequence[Timing]) -> tuple[list[str], list[list[str]]]:
    """Head and body: a line a contestant, a column per number of people: wall median / p95, CPU median, found."""
    shown = sorted({timing.people for timing in timings})
    cell = {
        (
            t.contestant,
            t.people,
        ): f"{t.wall_ms:.0f} / {t.wall_p95_ms:.0f}, {t.cpu_ms:.0f} ({t.found})"
        for t in timings
    }
    body = [
        [name, *(cell[name, count] for count in shown)]
        for name in dict.fromkeys(t.contestant for t in timings)
    ]
    return ["", *(f"{count} people" for count in shown)], body
