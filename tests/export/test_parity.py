import numpy as np
import pytest
import torch
from torch import nn

from posecascade.export.parity import TOLERANCE_MM, Parity, merged, parity
from posecascade.export.perturbed import DRAWS, PerturbedRunners
from posecascade.export.release import _require_parity
from posecascade.models.errors import ManifestError
from posecascade.models.lab.networks.torch_runner import TorchRunner


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
        rel = (
            np.tile(x[:, None, None, None], (1, 1, 25, 3))
            + self.off_mm
            + self.leak_mm * (n > 1)
        )
        return {
            "score": np.full((n, 1), self.score),
            "joints_px": np.tile(x[:, None, None, None], (1, 1, 25, 2)),
            "joint_scores": np.zeros((n, 1, 25)),
            "joints_rel_mm": rel,
            "sigma_mm": np.ones((n, 1, 25)),
            "root_depth_mm": np.ones((n, 1)),
        }

    def close(self): ...


def batch(*numbers):
    return {"x": np.array(numbers)}


def test_both_are_run_alone_and_together():
    module, exported = Stub(), Stub()
    found = parity(module, exported, [batch(1, 2), batch(3)], min_score=0.5)

    assert (found.joints_mm, found.largest_batch) == (0, 3)
    assert sorted(module.batches) == sorted(exported.batches) == [1, 1, 1, 3]


def test_a_difference_from_torch_is_found():
    found = parity(Stub(), Stub(off_mm=2), [batch(1, 2)], min_score=0.5)

    assert found.with_torch.joints_mm == pytest.approx(2 * 3**0.5)
    assert found.in_batch.joints_mm == 0


def test_an_item_that_depends_on_its_neighbours_is_found():
    leaky = Stub(leak_mm=2)

    assert parity(
        leaky, leaky, [batch(1, 2)], min_score=0.5
    ).joints_mm == pytest.approx(2 * 3**0.5)


def test_frames_that_show_nobody_prove_nothing():
    with pytest.raises(ValueError, match="show nobody"):
        parity(Stub(score=0.1), Stub(score=0.1), [batch(1)], min_score=0.5)


def test_batches_of_one_shape_are_joined_up_to_the_most():
    wide, tall = {"x": np.zeros((2, 3, 5))}, {"x": np.zeros((1, 5, 3))}

    assert [b["x"].shape for b in merged([wide, tall, wide, wide], most=4)] == [
        (4, 3, 5),
        (2, 3, 5),
        (1, 5, 3),
    ]


class Choice(nn.Module):
    """Places each item at the better of two cells, 30 mm apart; `rounding` is what another processor adds to one."""

    def __init__(self, rounding=0.0):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(2))
        self.rounding = rounding

    def forward(self, heat):
        """Poses of items by the heat [N, 2] of both cells."""
        rounding = torch.tensor([0.0, self.rounding])
        cell = (heat * self.scale + rounding).argmax(1)
        count = len(heat)
        rel = 30.0 * cell[:, None, None].expand(count, 25, 3)
        return {
            "score": torch.full((count,), 0.9),
            "joints_px": torch.zeros(count, 25, 2),
            "joint_scores": torch.zeros(count, 25),
            "joints_rel_mm": rel,
            "sigma_mm": torch.ones(count, 25),
            "root_depth_mm": torch.ones(count),
        }


CLEAR = [3.0, 1.0]
TIE = [2.0, 2.0 - 1e-7]


def compared(*heat, rounding):
    """Torch against the same module on a processor that rounds otherwise."""
    module = Choice()
    return parity(
        TorchRunner(module),
        TorchRunner(Choice(rounding)),
        [{"heat": np.array(heat, np.float32)}],
        min_score=0.5,
        perturbed=PerturbedRunners(module),
    )


def test_a_tie_that_rounding_decides_is_left_out_and_counted():
    found = compared(*[CLEAR] * 7, TIE, rounding=1e-6)

    assert found.joints_mm == 0
    assert found.unstable == 2  # of the item alone and in its batch
    assert found.unstable_share == pytest.approx(2 / 24)


def test_a_clear_choice_that_comes_out_otherwise_is_found():
    found = compared(CLEAR, CLEAR, rounding=5.0)

    assert found.joints_mm == pytest.approx(30 * 3**0.5)
    assert found.unstable == 0


def test_without_perturbed_weights_everybody_is_held_to_the_tolerance():
    module, exported = TorchRunner(Choice()), TorchRunner(Choice(1e-6))
    batches = [{"heat": np.array([TIE], np.float32)}]

    assert parity(module, exported, batches, min_score=0.5).joints_mm > TOLERANCE_MM


def test_a_graph_that_gives_no_numbers_is_never_excused():
    module = Choice()
    found = parity(
        TorchRunner(module),
        TorchRunner(Silent()),
        [{"heat": np.array([TIE], np.float32)}],
        min_score=0.5,
        perturbed=PerturbedRunners(module),
    )

    assert found.joints_mm == np.inf


class Silent(Choice):
    """Says nothing but NaN."""

    def forward(self, heat):
        outputs = super().forward(heat)
        return outputs | {"joints_rel_mm": outputs["joints_rel_mm"] * torch.nan}


def test_perturbed_weights_are_equal_in_every_run_and_differ_between_draws():
    module = nn.Linear(3, 2)
    inputs = torch.ones(1, 3)
    first, again = (
        [runner._network(inputs) for runner in PerturbedRunners(module)]
        for _ in range(2)
    )

    assert len(first) == DRAWS
    assert all(torch.equal(one, other) for one, other in zip(first, again, strict=True))
    assert len({tuple(one[0].tolist()) for one in first}) > DRAWS / 2


def test_too_many_unstable_people_are_refused(tmp_path):
    found = compared(CLEAR, TIE, rounding=1e-6)

    with pytest.raises(ManifestError, match=r"rounding decides the pose of 33% of"):
        _require_parity(tmp_path / "coarse.onnx", found)


def test_the_manifest_gets_the_measured_agreement_and_nothing_else():
    found: Parity = compared(*[CLEAR] * 7, TIE, rounding=1e-6)

    assert set(found.as_json()) == {"with_torch", "in_batch", "largest_batch"}
