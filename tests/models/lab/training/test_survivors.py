"""Training on the people whom a policy sends on: who that is, and how often the others are drawn."""

import dataclasses

import pytest

torch = pytest.importorskip("torch", reason="needs the extra `train`")

from posecascade.models.lab.networks.coarse import CoarseStage  # noqa: E402
from posecascade.models.lab.networks.readout import Reading  # noqa: E402
from posecascade.models.lab.training.readings import COLUMNS, ReadingStore  # noqa: E402
from posecascade.models.lab.training.recipe import Optimiser, Survivors  # noqa: E402
from posecascade.models.lab.training.simulate import Cameras, Habits, Scene, seeded  # noqa: E402
from posecascade.models.lab.training.supply import Batch, Earlier, Supply  # noqa: E402
from posecascade.models.lab.training.survivors import Gate, chances  # noqa: E402
from posecascade.models.manifest import WEIGHTS  # noqa: E402  (after the skip)
from posecascade.models.skeleton import JOINTS  # noqa: E402

PEOPLE = 60


@pytest.fixture(scope="module")
def coarse() -> CoarseStage:
    torch.manual_seed(0)
    return CoarseStage().eval()


def gate(coarse: CoarseStage, **changes: object) -> Gate:
    return Gate.of(dataclasses.replace(Survivors(weights=WEIGHTS), **changes), coarse)


def habits() -> Habits:
    """Some read people well, some badly."""
    error = torch.linspace(0, 0.4, PEOPLE)[:, None, None] * torch.randn(
        PEOPLE, 17, 2, generator=seeded(3)
    )
    ones = torch.ones(PEOPLE, 17)
    return Habits(
        error,
        error,
        ones,
        torch.ones(PEOPLE),
        torch.ones(PEOPLE, JOINTS),
        torch.full((PEOPLE,), 150.0),
    )


def cameras(seed: int) -> Cameras:
    bodies = 300 * torch.randn(50, JOINTS, 3, generator=seeded(1))
    bodies[:, 0] = 0
    return Cameras(bodies, seeded(seed))


def shown() -> tuple[Reading, Scene]:
    scene = cameras(2).draw(habits(), torch.arange(PEOPLE))
    return habits().read(scene, torch.arange(PEOPLE)), scene


def table() -> dict[str, "torch.Tensor"]:
    """Readings of everybody, as the stages leave them on disk."""
    reading, scene = shown()
    target = scene.target
    columns = reading._asdict() | {
        name: torch.zeros(PEOPLE, *shape)
        for name, shape in COLUMNS.items()
        if name not in reading._asdict()
    }
    columns |= {
        "intrinsics": scene.intrinsics,
        "true_px": target.px,
        "true_rel_mm": target.rel_mm,
        "true_root_mm": target.root_mm,
        "inside": target.inside,
        "size_px": target.size_px,
        "has_px": target.has_px,
        "has_mm": target.has_mm,
        "is_person": target.is_person,
        "window": torch.tensor([0.0, 0.0, 1.0]).expand(PEOPLE, 3),
        "sample": torch.arange(PEOPLE) // 2,
    }
    return columns


def batch(coarse: CoarseStage, seed: int, chosen: Gate | None) -> Batch:
    habit = habits()
    optimiser = Optimiser(batch=80, simulated=0.5, photos=0.0)
    supply = Supply(
        table(),
        None,
        habit,
        cameras(seed),
        [Earlier(coarse, habit)],
        (256, 160),
        optimiser,
        seeded(seed),
        chosen,
    )
    return supply.draw()


def test_those_not_sent_are_drawn_down_to_the_floor():
    sent = torch.arange(100) >= 60
    chance = chances(sent, torch.ones(100), floor=0.2)
    assert chance.mean() == pytest.approx(1.0)
    assert chance[~sent].sum() / chance.sum() == pytest.approx(0.2)


@pytest.mark.parametrize(
    "sent",
    [
        torch.ones(20, dtype=torch.bool),
        torch.zeros(20, dtype=torch.bool),
        torch.arange(20) >= 3,
    ],
)
def test_where_there_are_none_to_spare_everybody_is_drawn_alike(sent):
    assert torch.equal(chances(sent, torch.ones(20), floor=0.2), torch.ones(20))


def test_false_positives_are_drawn_as_often_as_ever():
    is_person = (torch.arange(100) % 2).float()
    chance = chances(torch.arange(100) >= 80, is_person, floor=0.2)
    assert torch.equal(chance[is_person == 0], torch.ones(50))


def test_simulated_people_are_mostly_those_sent_and_a_floor_of_others(coarse):
    sent = torch.arange(100) % 2 == 0
    rows = gate(coarse, floor=0.25).chosen(sent, 40)
    assert len(rows) == len(set(rows.tolist())) == 40
    assert int(sent[rows].sum()) == 30


@pytest.mark.parametrize(("hard", "kept"), [(0, 0), (5, 5), (50, 20)])
def test_where_few_are_sent_all_of_them_are_kept(coarse, hard, kept):
    rows = gate(coarse, floor=0.0).chosen(torch.arange(50) < hard, 20)
    assert len(rows) == 20
    assert int((rows < hard).sum()) == kept


def test_the_policy_of_the_weights_decides(coarse):
    reading, scene = shown()
    people = reading, scene.intrinsics, scene.target.inside
    assert gate(coarse, policy="always").sends(*people).all()
    assert not gate(coarse, policy="never").sends(*people).any()


def test_a_dearer_price_sends_no_one_else(coarse):
    reading, scene = shown()
    people = reading, scene.intrinsics, scene.target.inside
    cheap, dear = (gate(coarse, price=price).sends(*people) for price in (2.0, 5.0))
    assert not (dear & ~cheap).any()


def test_people_on_disk_are_decided_about_row_for_row(coarse, tmp_path):
    store = ReadingStore(tmp_path)
    store.write("one", {name: values.numpy() for name, values in table().items()})
    reading, scene = shown()
    people = reading, scene.intrinsics, scene.target.inside
    threshold = gate(coarse, price=3.0)  # which asks for nothing of the neighbours
    assert torch.equal(
        threshold.sends_of(store, ["one", "one"]), threshold.sends(*people).repeat(2)
    )


def test_the_same_seed_draws_the_same_survivors(coarse):
    one, again, other = (batch(coarse, seed, gate(coarse)) for seed in (5, 5, 6))
    assert torch.equal(one.reading.joints_px, again.reading.joints_px)
    assert not torch.equal(one.reading.joints_px, other.reading.joints_px)


def test_without_a_gate_nobody_is_left_out(coarse):
    assert (
        len(batch(coarse, 5, None).intrinsics)
        == len(batch(coarse, 5, gate(coarse)).intrinsics)
        == 80
    )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"policy": "oracle"}, "policy must be one of"),
        ({"floor": 1.5}, "floor within 0..1"),
        ({"price": -1.0}, "price of 0"),
    ],
)
def test_a_gate_that_is_not_there_is_refused(coarse, changes, message):
    with pytest.raises(ValueError, match=message):
        gate(coarse, **changes)
