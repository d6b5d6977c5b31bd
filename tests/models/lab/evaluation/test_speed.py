from pathlib import Path

import numpy as np
import pytest

from posecascade.models.arrays import Image
from posecascade.models.lab.evaluation.speed import (
    Timing,
    cascade_start,
    crowd,
    cut_person,
    measure,
    rss_mb,
    timing_table,
)

PHOTO = np.random.default_rng(1).integers(0, 255, (400, 300, 3), np.uint8)


@pytest.mark.parametrize("people", [0, 1, 2, 4, 5, 8, 16])
def test_a_crowd_shows_as_many_copies_as_it_says(people: int) -> None:
    cut = np.zeros((200, 80, 3), np.uint8)
    cut[:, 40:] = 200  # the canvas takes the mean, 100: copies stand out on both sides
    picture = crowd(cut, people)

    row = (picture[10] > 150).any(-1).astype(int)
    second = (picture[370] > 150).any(-1).astype(int) if people > 4 else np.zeros(1)
    assert picture.shape == (720, 1280, 3)
    assert (np.diff(row) == 1).sum() + (np.diff(second) == 1).sum() == people


def test_the_cut_keeps_a_margin_and_stays_in_the_photo() -> None:
    assert cut_person(PHOTO, np.array([100.0, 100, 50, 200])).shape == (240, 90, 3)
    assert cut_person(PHOTO, np.array([0.0, 0, 300, 400])).shape == (400, 300, 3)


def test_contestants_take_turns_and_are_timed_with_decoding() -> None:
    time = [0.0]
    calls = []

    def contestant(name: str, takes_s: float):
        def find(picture: Image) -> int:
            calls.append(name)
            time[0] += takes_s
            return picture.shape[0] // 100

        return find

    timings = measure(
        {"a": contestant("a", 0.010), "b": contestant("b", 0.030)},
        {1: PHOTO, 2: PHOTO[:200]},
        3,
        clock=lambda: time[0],
        cpu_clock=lambda: time[0] / 2,
    )

    assert calls == ["a", "b"] * 8  # once untimed, three times timed, on two pictures
    assert [(t.contestant, t.people, t.found) for t in timings] == [
        ("a", 1, 4),
        ("b", 1, 4),
        ("a", 2, 2),
        ("b", 2, 2),
    ]
    assert [t.wall_ms for t in timings] == pytest.approx([10, 30, 10, 30])
    assert [t.cpu_ms for t in timings] == pytest.approx([5, 15, 5, 15])


def test_the_table_has_a_line_a_contestant() -> None:
    head, body = timing_table(
        [Timing("a", 1, 1, 9.6, 12.2, 18.0, 5), Timing("a", 4, 3, 20.0, 30.0, 40.0, 5)]
    )

    assert head == ["", "1 people", "4 people"]
    assert body == [["a", "10 / 12, 18 (1)", "20 / 30, 40 (3)"]]


def test_a_start_that_fails_says_why(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"manifest\.json is missing"):
        cascade_start(tmp_path, threads=1, repeats=1)


def test_this_process_is_resident() -> None:
    assert 10 < rss_mb() < 10_000
