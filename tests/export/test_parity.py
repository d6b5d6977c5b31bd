import numpy as np
import pytest

from export.parity import merged, parity


class Stub:
    """A coarse stage that sees one person an item, where the item's number says."""

    provider = "double"

    def __init__(self, *, off_mm=0.0, leak_mm=0.0, score=0.9):
        self.off_mm, self.leak_mm, self.score = off_mm, leak_mm, score
        self.batches = []

    def run(self, batch):
        x = batch["x"].astype(float)
        n = len(x)
        self.batches.append(n)
        rel = np.tile(x[:, None, None, None], (1, 1, 25, 3)) + self.off_mm + self.leak_mm * (n > 1)
        return {"score": np.full((n, 1), self.score), "joints_px": np.tile(x[:, None, None, None], (1, 1, 25, 2)),
                "joint_scores": np.zeros((n, 1, 25)), "joints_rel_mm": rel, "sigma_mm": np.ones((n, 1, 25)),
                "root_depth_mm": np.ones((n, 1))}

    def close(self): ...


def batch(*numbers):
    return {"x": np.array(numbers)}


def test_both_are_run_alone_and_together():
    torch, exported = Stub(), Stub()
    found = parity(torch, exported, [batch(1, 2), batch(3)], min_score=0.5)

    assert (found.joints_mm, found.largest_batch) == (0, 3)
    assert sorted(torch.batches) == sorted(exported.batches) == [1, 1, 1, 3]


def test_a_difference_from_torch_is_found():
    found = parity(Stub(), Stub(off_mm=2), [batch(1, 2)], min_score=0.5)

    assert found.with_torch.joints_mm == pytest.approx(2 * 3**0.5)
    assert found.in_batch.joints_mm == 0


def test_an_item_that_depends_on_its_neighbours_is_found():
    leaky = Stub(leak_mm=2)

    assert parity(leaky, leaky, [batch(1, 2)], min_score=0.5).joints_mm == pytest.approx(2 * 3**0.5)


def test_frames_that_show_nobody_prove_nothing():
    with pytest.raises(ValueError, match="show nobody"):
        parity(Stub(score=0.1), Stub(score=0.1), [batch(1)], min_score=0.5)


def test_batches_of_one_shape_are_joined_up_to_the_most():
    wide, tall = {"x": np.zeros((2, 3, 5))}, {"x": np.zeros((1, 5, 3))}

    assert [b["x"].shape for b in merged([wide, tall, wide, wide], most=4)] == [(4, 3, 5), (2, 3, 5), (1, 5, 3)]
