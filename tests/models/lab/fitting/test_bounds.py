"""Facts about bounds on a mean."""

import numpy as np
import pytest

from posecascade.models.lab.fitting.bounds import upper_bound


def test_the_bound_holds_as_often_as_it_says():
    rng = np.random.default_rng(1)
    broken = [
        0.1 > upper_bound(rng.beta(0.5, 4.5, 150), seed=seed) for seed in range(200)
    ]  # of mean 0.1

    assert np.mean(broken) <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / 200)


def test_the_bound_tightens_with_samples_and_is_tighter_where_losses_are_alike():
    rng = np.random.default_rng(2)
    few, many = (upper_bound(rng.uniform(0, 0.2, count)) for count in (50, 2000))
    wild = upper_bound((rng.random(2000) < 0.1).astype(float))

    assert 0.1 < many < few < 0.2
    assert many < wild


def test_nothing_seen_bounds_nothing():
    assert upper_bound(np.zeros(0)) == pytest.approx(1.0)


def test_no_loss_at_all_still_leaves_doubt():
    assert 0 < upper_bound(np.zeros(100)) < 0.1


def test_losses_beyond_the_bound_are_refused():
    with pytest.raises(ValueError, match=r"want losses within 0..1, got 0..2"):
        upper_bound(np.array([0.0, 2.0]))
