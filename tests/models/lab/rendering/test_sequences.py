"""Short films: who is who stays, everybody moves a little at a time."""

from pathlib import Path

import numpy as np
import pytest
import torch

from posecascade.models.lab.rendering import SyntheticPeople
from posecascade.models.lab.rendering.sequences import joined

PEOPLED = 7
EMPTY = 8
"""Seeds of films with and without people."""
FRAMES = 4


@pytest.fixture(scope="module")
def source(assets: Path) -> SyntheticPeople:
    return SyntheticPeople(assets, "dev", 32)


def test_everybody_is_in_every_moment(source):
    _, truth = source.sequence(PEOPLED, FRAMES)
    people = truth["id"].unique()

    assert len(people) > 0
    for moment in range(FRAMES):
        assert truth["id"][truth["frame"] == moment].tolist() == people.tolist()


def test_nobody_jumps_from_place_to_place(source):
    _, truth = source.sequence(PEOPLED, FRAMES, fps=12)
    for person in truth["id"].unique():
        joints = truth["joints_mm"][truth["id"] == person]
        assert (joints[1:] - joints[:-1]).norm(dim=-1).max() < 900


def test_a_film_of_nobody_is_a_film(source):
    images, truth = source.sequence(EMPTY, FRAMES)

    assert images.shape == (FRAMES, 3, 32, 32)
    assert len(truth["frame"]) == 0


def test_the_size_of_batches_does_not_show(source):
    _, whole = source.sequence(PEOPLED, FRAMES, batch=4)
    _, parts = source.sequence(PEOPLED, FRAMES, batch=3)

    assert torch.equal(whole["frame"], parts["frame"])
    np.testing.assert_allclose(whole["joints_mm"], parts["joints_mm"], atol=0.01)


def test_joined_batches_are_numbered_on():
    part = torch.zeros(2, 3, 1, 1), {"frame": torch.tensor([0, 1, 1])}
    _, truth = joined([part, part])

    assert truth["frame"].tolist() == [0, 1, 1, 2, 3, 3]
