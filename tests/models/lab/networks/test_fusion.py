"""Candidates of a joint fused into one place."""

import pytest

torch = pytest.importorskip("torch", reason="needs the extra `train`")

from posecascade.models.lab.networks.fusion import fuse_keypoints  # noqa: E402  (after the skip)

SIZE = torch.tensor([50.0])


def fused(
    candidates: list[tuple[float, float]], weights: list[float]
) -> tuple[list[float], float]:
    """One joint of one person."""
    place, support = fuse_keypoints(
        torch.tensor(candidates)[None, None], torch.tensor(weights)[None, None], SIZE
    )
    return place[0, 0].tolist(), support.item()


def test_candidates_in_one_place_support_each_other():
    place, support = fused([(10, 20), (10, 20), (10, 20)], [1.0, 0.5, 0.25])
    assert place == pytest.approx([10, 20])
    assert support == pytest.approx(1.75)


def test_two_that_agree_outvote_an_outlier_of_higher_score():
    place, support = fused([(200, 200), (10, 20), (12, 20)], [0.5, 0.3, 0.3])
    assert place == pytest.approx([11, 20], abs=0.2)
    assert support == pytest.approx(0.6, abs=0.01)


def test_a_high_score_wins_over_two_low_ones():
    place, support = fused([(200, 200), (10, 20), (12, 20)], [0.9, 0.3, 0.3])
    assert place == pytest.approx([200, 200], abs=0.1)
    assert support == pytest.approx(0.9, abs=0.01)


def test_the_place_leans_towards_the_heavier_supporter():
    (x, _), _ = fused([(10, 20), (16, 20)], [0.9, 0.1])
    assert 10 < x < 11


def test_people_and_joints_do_not_mix():
    candidates = (
        torch.randn(3, 4, 2, 2, generator=torch.Generator().manual_seed(0)) * 100
    )
    weights = torch.rand(3, 4, 2, generator=torch.Generator().manual_seed(1))
    size = torch.tensor([20.0, 40.0, 80.0])
    place, support = fuse_keypoints(candidates, weights, size)
    alone, its_support = fuse_keypoints(
        candidates[1:2, 2:3], weights[1:2, 2:3], size[1:2]
    )
    assert torch.allclose(place[1, 2], alone[0, 0])
    assert torch.allclose(support[1, 2], its_support[0, 0])
