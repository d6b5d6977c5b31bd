"""Summaries for the terminal: where each person is, the expected error, and the cost."""

from collections import Counter
from collections.abc import Iterator
from statistics import median

import numpy as np

from posecascade.models.arrays import Floats
from posecascade.models.records import Person
from posecascade.models.skeleton import JOINT_NAMES
from posecascade.service.commands.file_predictor import Answer

_SHOWN = ("pelvis", "head_top", "left_wrist", "right_wrist")
_HEAD = "  {:<6}{:>6}  ".format("person", "score") + "".join(
    f"{name + ' x y z m':<21}" for name in _SHOWN
)


def picture_lines(answer: Answer) -> Iterator[str]:
    """A table of the people of one picture."""
    frame = answer.frame
    yield (
        f"{answer.source}: {frame.width}x{frame.height}, {_count(len(frame.people), 'person', 'people')}, "
        f"{answer.reply.timing_ms.total:.0f} ms"
    )
    if frame.people:
        yield f"{_HEAD}{'+-mm':>5}  stage"
    for number, person in enumerate(frame.people):
        places = "".join(
            f"{_metres(person.pose.joints_mm[JOINT_NAMES.index(name)]):<21}"
            for name in _SHOWN
        )
        yield (
            f"  {number:<6}{person.score:>6.2f}  {places}{person.pose.expected_error_mm:>5.0f}  "
            f"{person.stage} ({person.stop})"
        )


class VideoSummary:
    """Collects the summary of a video."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._seen: dict[int, list[Person]] = {}
        self._took_ms: list[float] = []

    def add(self, answer: Answer) -> None:
        self._took_ms.append(answer.reply.timing_ms.total)
        for person in answer.frame.people:
            if person.id is not None:
                self._seen.setdefault(person.id, []).append(person)

    def lines(self) -> Iterator[str]:
        """A table of the people by their ids."""
        yield (
            f"{self._source}: {_count(len(self._took_ms), 'frame', 'frames')}, "
            f"{_count(len(self._seen), 'person', 'people')}, {median(self._took_ms):.0f} ms a frame"
        )
        if self._seen:
            yield f"  {'id':<4}{'frames':>6}  {'pelvis first x y z m':<22}{'last':<21}{'+-mm':>5}  stages"
        for id_, people in sorted(self._seen.items()):
            first, last = (
                _metres(person.pose.root_mm) for person in (people[0], people[-1])
            )
            error = np.mean([person.pose.expected_error_mm for person in people])
            stages = Counter(str(person.stage) for person in people)
            shares = ", ".join(
                f"{stage} {100 * stages[stage] / len(people):.0f}%"
                for stage in sorted(stages)
            )
            yield f"  {id_:<4}{len(people):>6}  {first:<22}{last:<21}{error:>5.0f}  {shares}"


def _metres(point_mm: Floats) -> str:
    return " ".join(f"{value / 1000:6.2f}" for value in point_mm)


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"
