import numpy as np
import pytest

from posecascade.models.lab.fitting.adam import Adam


def test_the_first_move_is_the_rate_against_the_slope_whatever_its_length() -> None:
    assert Adam(0.05).move(np.array([3.0, -1e-3])) == pytest.approx(
        [-0.05, 0.05], rel=1e-4
    )


def test_it_finds_the_bottom_of_a_bowl() -> None:
    weights = np.array([[2.0, -1.0]])
    adam = Adam(0.05)
    for _ in range(500):
        weights = weights + adam.move(2 * (weights - [[0.5, 0.25]]) * [[1.0, 100.0]])
    assert weights == pytest.approx(np.array([[0.5, 0.25]]), abs=1e-3)
