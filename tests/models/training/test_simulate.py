"""Simulated readings: bodies before cameras, read as real people were."""

import pytest

torch = pytest.importorskip("torch", reason="needs the extra `train`")

from models.training.simulate import Cameras, Habits, Scene, seeded, through  # noqa: E402  (after the skip)

COUNT = 40


@pytest.fixture
def scene() -> Scene:
    bodies = 300 * torch.randn(200, 25, 3, generator=seeded(1))
    bodies[:, 0] = 0
    return Cameras(bodies, seeded(2)).draw(exact(COUNT), torch.arange(COUNT))


def exact(count: int) -> Habits:
    """People read without an error."""
    nothing = torch.zeros(count, 17, 2)
    return Habits(
        nothing, nothing, torch.ones(count, 17), torch.ones(count), torch.ones(count, 25), torch.full((count,), 150.0)
    )


def table_of(scene: Scene, off_px: float) -> dict[str, "torch.Tensor"]:
    """The columns of readings that habits are learned from, each joint `off_px` to the right."""
    reading = exact(COUNT).read(scene, torch.arange(COUNT))
    target = scene.target
    truth = {"true_px": target.px, "inside": target.inside}
    return truth | reading._asdict() | {"joints_px": reading.joints_px + torch.tensor([off_px, 0.0])}


def test_people_without_habits_are_read_where_they_are(scene):
    reading = exact(COUNT).read(scene, torch.arange(COUNT))
    assert torch.equal(reading.joints_px, scene.target.px[:, 4:21])


def test_the_same_people_are_read_again_as_they_were(scene):
    table = table_of(scene, off_px=3.0)
    again = Habits.of(table).read(scene, torch.arange(COUNT))
    assert torch.allclose(again.joints_px, table["joints_px"], atol=1e-2)
    assert torch.allclose(again.regressed_px, table["regressed_px"], atol=1e-2)


def test_steady_people_have_small_errors_of_the_spread_asked_for(scene):
    both = Habits.of(table_of(scene, off_px=3.0)).and_steady(torch.full((COUNT,), 0.03), None, seeded(4))
    assert len(both.scores) == 2 * COUNT
    assert both.error[COUNT:].abs().median() == pytest.approx(0.03 * 0.6745, rel=0.1)


def test_a_window_holds_everybody_it_is_cut_round(scene):
    inside = through(scene.target.px, scene, (256, 160))
    assert (inside.target.px >= 0).all()
    assert (inside.target.px <= torch.tensor([160.0, 256.0])).all()
