"""Simulated readings: bodies before cameras, read as real people were."""

import pytest

torch = pytest.importorskip("torch", reason="needs the extra `train`")

from models.training.simulate import Cameras, Habits, Scene, seeded  # noqa: E402  (after the skip)

COUNT = 40


@pytest.fixture
def scene() -> Scene:
    bodies = 300 * torch.randn(200, 25, 3, generator=seeded(1))
    bodies[:, 0] = 0
    neutral = habits(COUNT, mix=(0.0, 0.0, 1.0))
    return Cameras(bodies, seeded(2)).draw(neutral, torch.arange(COUNT))


def habits(count: int, mix: tuple[float, float, float]) -> Habits:
    """People read without an error but for depths that are a mix of the body's axes."""
    nothing = torch.zeros(count, 17, 2)
    return Habits(
        nothing, nothing, torch.ones(count, 17), torch.ones(count), torch.ones(count, 25), torch.full((count,), 150.0),
        torch.tensor(mix).expand(count, 3), torch.zeros(count, 25),
    )  # fmt: skip


def table_of(scene: Scene, reader: Habits) -> dict[str, "torch.Tensor"]:
    """The columns of readings that habits are learned from."""
    reading = reader.read(scene, torch.arange(COUNT))
    target = scene.target
    return {
        "true_px": target.px, "true_rel_mm": target.rel_mm, "true_root_mm": target.root_mm, "inside": target.inside,
        **reading._asdict(),
    }  # fmt: skip


def test_true_depths_are_distances_along_the_line_to_the_pelvis(scene):
    depths = habits(COUNT, mix=(0.0, 0.0, 1.0)).read(scene, torch.arange(COUNT)).depths_m
    line = torch.nn.functional.normalize(scene.target.root_mm, dim=1)
    assert torch.allclose(depths, (scene.target.rel_mm @ line[:, :, None])[..., 0] / 1000, atol=1e-5)


def test_a_turned_reading_is_learned_as_a_turn(scene):
    learned = Habits.of(table_of(scene, habits(COUNT, mix=(0.3, 0.0, 0.9))))
    assert torch.allclose(learned.depth_mix, torch.tensor([0.3, 0.0, 0.9]).expand(COUNT, 3), atol=0.05)
    assert learned.depth_error.abs().max() < 0.05


def test_the_same_people_are_read_again_as_they_were(scene):
    table = table_of(scene, habits(COUNT, mix=(0.2, -0.1, 0.8)))
    table["depths_m"] = table["depths_m"] + 0.05 * torch.randn(COUNT, 25, generator=seeded(3))
    again = Habits.of(table).read(scene, torch.arange(COUNT))
    assert torch.allclose(again.depths_m, table["depths_m"], atol=1e-4)
    assert torch.allclose(again.joints_px, table["joints_px"], atol=1e-2)


def test_steady_people_have_small_errors_of_the_spread_asked_for(scene):
    learned = Habits.of(table_of(scene, habits(COUNT, mix=(0.0, 0.0, 1.0))))
    both = learned.and_steady(torch.full((COUNT,), 0.03), None, seeded(4))
    steady = both.error[COUNT:]
    assert len(both.scores) == 2 * COUNT
    assert steady.abs().median() == pytest.approx(0.03 * 0.6745, rel=0.1)
    assert both.depth_error[COUNT:, 0].abs().max() == 0
