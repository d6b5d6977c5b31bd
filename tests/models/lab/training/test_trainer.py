"""Simulated people are consistent, and a run that was cut goes on as if it had not been."""

from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="needs the extra `train`")

from posecascade.models.lab.networks.lifter import BodyHead, contract_outputs  # noqa: E402  (after the skip)
from posecascade.models.lab.training.losses import Weights, losses, target_of  # noqa: E402
from posecascade.models.lab.training.readings import COLUMNS, reading_of  # noqa: E402
from posecascade.models.lab.training.recipe import Optimiser  # noqa: E402
from posecascade.models.lab.training.simulate import Cameras, seeded, through  # noqa: E402
from posecascade.models.lab.training.supply import Supply, habits_of, head_terms  # noqa: E402
from posecascade.models.lab.training.trainer import Run  # noqa: E402

ROWS = 24
OPTIMISER = Optimiser(
    steps=6, batch=16, simulated=0.5, photos=0.0, warm_up=1, checkpoint_every=3
)


def table() -> dict[str, "torch.Tensor"]:
    g = torch.Generator().manual_seed(3)
    made = {
        name: torch.rand(ROWS, *shape, generator=g) for name, shape in COLUMNS.items()
    }
    made["true_px"] = 100 + 60 * torch.randn(ROWS, 25, 2, generator=g)
    made["joints_px"] = made["regressed_px"] = made["true_px"][:, 4:21] + torch.randn(
        ROWS, 17, 2, generator=g
    )
    made["intrinsics"] = torch.tensor([400.0, 400.0, 224.0, 128.0]).expand(ROWS, 4)
    made["true_rel_mm"] = 300 * torch.randn(ROWS, 25, 3, generator=g)
    made["true_root_mm"] = torch.tensor([0.0, 0.0, 3000.0]).expand(ROWS, 3)
    return made | {
        name: torch.ones(ROWS, *COLUMNS[name])
        for name in ("has_px", "has_mm", "inside", "is_person")
    }


def bodies() -> "torch.Tensor":
    return 300 * torch.randn(50, 25, 3, generator=torch.Generator().manual_seed(4))


def run(folder: Path, kind: type[Supply]) -> dict[str, "torch.Tensor"]:
    torch.manual_seed(0)
    generator = seeded(1)
    habits = habits_of([table()], generator)[0]
    supply = kind(
        table(),
        None,
        habits,
        Cameras(bodies(), generator),
        (),
        None,
        OPTIMISER,
        generator,
    )
    head = BodyHead(deep=False, width=32, blocks=1)
    terms = head_terms(supply, Weights(), torch.device("cpu"))
    trained = Run(head, terms, generator, OPTIMISER, folder, torch.device("cpu")).fit()
    return {name: value.clone() for name, value in trained.state_dict().items()}


def test_simulated_joints_project_to_their_pixels():
    generator = seeded(5)
    habits = habits_of([table()], generator)[0]
    scene = Cameras(bodies(), generator).draw(habits, torch.arange(len(habits.scores)))
    space = scene.target.rel_mm + scene.target.root_mm[:, None]
    focal, centre = scene.intrinsics[:, None, :2], scene.intrinsics[:, None, 2:]
    assert torch.allclose(
        space[..., :2] / space[..., 2:] * focal + centre, scene.target.px, atol=0.1
    )


def test_a_window_keeps_simulated_people_consistent():
    generator = seeded(6)
    habits = habits_of([table()], generator)[0]
    scene = Cameras(bodies(), generator).draw(habits, torch.arange(8))
    head = BodyHead(deep=False).eval()
    with torch.no_grad():
        outputs = contract_outputs(
            head(habits.read(scene, torch.arange(8)), scene.intrinsics)
        )
    inside = through(outputs["joints_px"], scene, (224, 160))
    space = inside.target.rel_mm + inside.target.root_mm[:, None]
    focal, centre = inside.intrinsics[:, None, :2], inside.intrinsics[:, None, 2:]
    assert torch.allclose(
        space[..., :2] / space[..., 2:] * focal + centre, inside.target.px, atol=0.5
    )


def test_what_is_not_labelled_costs_nothing():
    rows = table()
    target = target_of(rows)
    head = BodyHead(deep=False, width=16, blocks=1)
    body = head(reading_of(rows), rows["intrinsics"])
    blank = target._replace(has_mm=torch.zeros(ROWS, 25), has_px=torch.zeros(ROWS, 25))
    other = blank._replace(rel_mm=blank.rel_mm + 1000, px=blank.px - 500)
    assert (
        losses(body, blank, Weights())["total"]
        == losses(body, other, Weights())["total"]
    )


def test_the_coarse_lifter_comes_through_a_fit_unchanged(tmp_path):
    torch.manual_seed(3)
    generator = seeded(2)
    coarse = BodyHead(deep=False, width=16, blocks=1)
    deep = BodyHead(deep=True, width=16, blocks=1)
    deep.start_from(coarse)
    supply = Supply(
        table(),
        None,
        habits_of([table()], generator)[0],
        Cameras(bodies(), generator),
        (),
        None,
        OPTIMISER,
        generator,
    )
    terms = head_terms(supply, Weights(), torch.device("cpu"))
    fitted = Run(deep, terms, generator, OPTIMISER, tmp_path, torch.device("cpu")).fit()
    assert all(
        torch.equal(value, coarse.state_dict()[name])
        for name, value in fitted.coarse_lifter.state_dict().items()
    )
    assert not torch.equal(fitted.input_layer.weight, coarse.input_layer.weight)


class PowerCut(Supply):
    """Fails at the fourth batch."""

    drawn = 0

    def draw(self):
        self.drawn += 1
        if self.drawn > 3:
            raise KeyboardInterrupt
        return super().draw()


def test_a_run_that_was_cut_goes_on_as_if_it_had_not_been(tmp_path):
    whole = run(tmp_path / "whole", Supply)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "cut", PowerCut)
    resumed = run(tmp_path / "cut", Supply)
    assert [
        name for name, value in whole.items() if not torch.equal(value, resumed[name])
    ] == []
