from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from posecascade.models.lab.evaluation.streams.paths import (
    Paths,
    Sighting,
    id_switches,
    missed_between,
    said_paths,
    true_paths,
)
from posecascade.models.lab.scoring.answers import Guess
from posecascade.models.lab.scoring.films import Film, read_film
from tests.models.lab.evaluation.crowd import in_pixels
from tests.models.lab.evaluation.streams.footage import bodies_mm, film

BODIES = bodies_mm(2, 6)


@pytest.fixture
def footage(tmp_path: Path) -> Film:
    film(tmp_path / "film", BODIES)
    return read_film(tmp_path / "film")


def exact(body: np.ndarray, who: int | None = None) -> Sighting:
    return Sighting(Guess(in_pixels(body), 0.9, body - body[0], root_mm=body[0]), who)


def test_an_exact_system_goes_the_paths_of_the_truth_whatever_the_order_of_its_people(
    footage: Film,
) -> None:
    predicted = said_paths(
        footage,
        [
            [exact(body, 7 - slot) for slot, body in enumerate(frame)][:: (-1) ** time]
            for time, frame in enumerate(BODIES)
        ],
    )
    truth = true_paths(footage)

    np.testing.assert_allclose(predicted.joints_mm, truth.joints_mm, atol=1e-6)
    np.testing.assert_allclose(predicted.joints_px, truth.joints_px, atol=1e-6)
    assert predicted.there.all()
    assert predicted.ids.tolist() == [[7] * 6, [6] * 6]


def test_who_is_not_found_is_nowhere(footage: Film) -> None:
    predicted = said_paths(footage, [[exact(frame[0])] for frame in BODIES])

    assert predicted.there.tolist() == [[True] * 6, [False] * 6]
    assert np.isnan(predicted.joints_mm[1]).all()
    assert (predicted.ids == -1).all()


def test_a_system_without_3d_has_paths_in_the_picture_only(footage: Film) -> None:
    predicted = said_paths(
        footage, [[Sighting(Guess(in_pixels(frame[0]), 0.5))] for frame in BODIES]
    )

    assert np.isnan(predicted.joints_mm).all()
    assert np.isfinite(predicted.joints_px[0]).all()


def seen(*rows: str) -> Paths:
    """A frame a letter: `x` for there, `.` for not, digits for an id."""
    there = np.array([[letter != "." for letter in row] for row in rows])
    ids = np.array(
        [[int(letter) if letter.isdigit() else -1 for letter in row] for row in rows]
    )
    return replace(Paths.unknown(*there.shape), there=there, ids=ids)


@pytest.mark.parametrize(
    ("found", "there", "gaps"),
    [
        ("xxxxxx", "xxxxxx", 0),
        ("xx..xx", "xxxxxx", 1),
        ("x.x.x.", "xxxxxx", 2),
        ("..xx..", "xxxxxx", 0),
        ("xx..xx", "xx..xx", 0),
        ("x...xx", "xx.xxx", 0),
        ("......", "xxxxxx", 0),
    ],
)
def test_a_gap_is_being_missed_between_being_found_while_there(
    found: str, there: str, gaps: int
) -> None:
    assert missed_between(seen(found), seen(there)) == gaps


@pytest.mark.parametrize(
    ("ids", "switches"), [("000000", 0), ("0.0110", 2), ("0..111", 1), ("......", 0)]
)
def test_a_switch_is_coming_back_by_another_id(ids: str, switches: int) -> None:
    assert id_switches(seen(ids)) == switches
