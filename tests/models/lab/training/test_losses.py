"""What the losses count."""

import pytest

torch = pytest.importorskip("torch", reason="needs the extra `train`")

from posecascade.models.lab.networks.lifter import BodyHead  # noqa: E402  (after the skip)
from posecascade.models.lab.networks.readout import Reading  # noqa: E402
from posecascade.models.lab.training.losses import Target, Weights, losses  # noqa: E402
from posecascade.models.lab.training.simulate import seeded  # noqa: E402
from posecascade.models.skeleton import JOINTS  # noqa: E402

PEOPLE = 6


def of(hard: float, labelled: float = 1.0) -> dict[str, "torch.Tensor"]:
    """The losses of an untrained head on people whose 3D truth lies further and further off."""
    torch.manual_seed(0)
    px = 50 + 100 * torch.rand(PEOPLE, JOINTS, 2, generator=seeded(1))
    read = px[:, 4:21]
    reading = Reading(
        read,
        torch.ones(PEOPLE, 17),
        read,
        torch.ones(PEOPLE),
        torch.zeros(PEOPLE, JOINTS),
    )
    rel = torch.linspace(100, 1000, PEOPLE)[:, None, None] * torch.randn(
        PEOPLE, JOINTS, 3, generator=seeded(2)
    )
    root = torch.tensor([0.0, 0.0, 4000.0]).expand(PEOPLE, 3)
    ones = torch.ones(PEOPLE, JOINTS)
    target = Target(
        px,
        rel - rel[:, :1],
        root,
        ones,
        labelled * ones,
        ones,
        torch.full((PEOPLE,), 100.0),
        torch.ones(PEOPLE),
    )
    body = BodyHead(deep=False).train()(
        reading, torch.tensor([400.0, 400.0, 100.0, 100.0]).expand(PEOPLE, 4)
    )
    return losses(body, target, Weights(hard=hard))


def test_the_larger_the_power_the_more_the_hard_people_count():
    plain, some, more = (of(hard)["distance"] for hard in (0.0, 1.0, 2.0))
    assert plain < some < more


def test_only_the_terms_in_3d_are_weighed_by_error():
    plain, weighed = of(0.0), of(1.0)
    assert all(
        torch.equal(plain[name], weighed[name])
        for name in ("plane", "joint", "person", "size")
    )


def test_people_without_3d_truth_cost_nothing_in_3d():
    assert of(1.0, labelled=0.0)["distance"] == 0
