"""Opinions on a joint made one."""

import pytest

torch = pytest.importorskip("torch", reason="needs the extra `train`")

from models.networks.agreement import agreed  # noqa: E402  (after the skip)

SIZE = torch.tensor([50.0])


def asked(opinions: list[tuple[float, float]], weights: list[float]) -> tuple[list[float], float]:
    """One joint of one person."""
    place, support = agreed(torch.tensor(opinions)[None, None], torch.tensor(weights)[None, None], SIZE)
    return place[0, 0].tolist(), support.item()


def test_opinions_that_are_alike_support_each_other():
    place, support = asked([(10, 20), (10, 20), (10, 20)], [1.0, 0.5, 0.25])
    assert place == pytest.approx([10, 20])
    assert support == pytest.approx(1.75)


def test_two_that_agree_outvote_a_surer_one_that_is_far_off():
    place, support = asked([(200, 200), (10, 20), (12, 20)], [0.5, 0.3, 0.3])
    assert place == pytest.approx([11, 20], abs=0.2)
    assert support == pytest.approx(0.6, abs=0.01)


def test_a_sure_one_stands_against_doubtful_ones():
    place, support = asked([(200, 200), (10, 20), (12, 20)], [0.9, 0.3, 0.3])
    assert place == pytest.approx([200, 200], abs=0.1)
    assert support == pytest.approx(0.9, abs=0.01)


def test_the_place_leans_towards_the_heavier_supporter():
    (x, _), _ = asked([(10, 20), (16, 20)], [0.9, 0.1])
    assert 10 < x < 11


def test_people_and_joints_do_not_mix():
    opinions = torch.randn(3, 4, 2, 2, generator=torch.Generator().manual_seed(0)) * 100
    weights = torch.rand(3, 4, 2, generator=torch.Generator().manual_seed(1))
    size = torch.tensor([20.0, 40.0, 80.0])
    place, support = agreed(opinions, weights, size)
    alone, its = agreed(opinions[1:2, 2:3], weights[1:2, 2:3], size[1:2])
    assert torch.allclose(place[1, 2], alone[0, 0])
    assert torch.allclose(support[1, 2], its[0, 0])

