"""How answers are written to a file: one function a format, from answers to pieces of text."""

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator
from typing import Final, TypeAlias

from posecascade.models.skeleton import JOINT_SETS
from posecascade.service.commands.file_predictor import Answer
from posecascade.service.wire.poses import PersonReply

Format: TypeAlias = Callable[[Iterable[Answer]], Iterator[str]]
_COLUMNS: Final = (
    "source",
    "frame",
    "time_s",
    "person",
    "id",
    "score",
    "stage",
    "stop",
    "joint",
    "x_px",
    "y_px",
    "joint_score",
    "x_mm",
    "y_mm",
    "z_mm",
    "sigma_mm",
)


def json_text(answers: Iterable[Answer]) -> Iterator[str]:
    """A picture's record, or `{"frames": [...]}` with those of a video; written as they come."""
    opened = False
    for answer in answers:
        text = json.dumps(answer.record(), separators=(",", ":"))
        if answer.time_s is None:
            yield text + "\n"
            continue
        yield (",\n" if opened else '{"frames": [\n') + text
        opened = True
    if opened:
        yield "\n]}\n"


def jsonl_text(answers: Iterable[Answer]) -> Iterator[str]:
    """A record a line."""
    return (
        json.dumps(answer.record(), separators=(",", ":")) + "\n" for answer in answers
    )


def csv_text(answers: Iterable[Answer]) -> Iterator[str]:
    """A line for each joint of each person; empty where the requested skeleton has a joint that cascade25 lacks."""
    yield ",".join(_COLUMNS) + "\n"
    for answer in answers:
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows(_joint_rows(answer))
        yield text.getvalue()


def _joint_rows(answer: Answer) -> Iterator[tuple[object, ...]]:
    names = JOINT_SETS[answer.reply.skeleton].joints
    for number, person in enumerate(answer.reply.people):
        person_columns = (
            answer.source,
            answer.reply.frame.id,
            answer.time_s,
            number,
            person.id,
            person.score,
            person.stage,
            person.stop,
        )
        yield from ((*person_columns, *joint) for joint in _joints(names, person))


def _joints(
    names: tuple[str, ...], person: PersonReply
) -> Iterator[tuple[object, ...]]:
    columns = (person.joints_px, person.joint_scores, person.joints_mm, person.sigma_mm)
    for name, px, score, mm, sigma in zip(names, *columns, strict=True):
        yield name, *(px or (None, None)), score, *(mm or (None, None, None)), sigma


FORMATS: Final[dict[str, Format]] = {
    "json": json_text,
    "jsonl": jsonl_text,
    "csv": csv_text,
}
