"""Distillation: a student comes nearer to its teacher, on pictures that the seed decides."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra `train`")

from posecascade.models.camera import assumed  # noqa: E402  (after the skip)
from posecascade.models.lab.datasets.sample import PoseSample  # noqa: E402
from posecascade.models.lab.networks.movenet import MoveNet  # noqa: E402
from posecascade.models.lab.training.distil import distances, distillation  # noqa: E402
from posecascade.models.lab.training.pictures import Pictures  # noqa: E402
from posecascade.models.lab.training.simulate import seeded  # noqa: E402


def sample(fill):
    image = np.full((96, 128, 3), fill, np.uint8)
    none = np.zeros((0, 25), bool)
    return PoseSample(
        image,
        assumed(128, 96),
        np.zeros((0, 25, 2)),
        np.zeros((0, 25, 3)),
        none,
        none.copy(),
        np.zeros((0, 25), np.int8),
        np.zeros((0, 4)),
        np.zeros((0, 4)),
        False,
        "test",
        "none",
    )


def pictures(seed):
    return Pictures(
        lambda index: [sample(40 + index)],
        3,
        [sample(200)],
        [sample(120)],
        4,
        seeded(seed),
    )


def test_equal_seeds_draw_equal_pictures():
    assert torch.equal(pictures(1)(), pictures(1)())
    assert not torch.equal(pictures(1)(), pictures(2)())


def test_pictures_have_an_input_size_of_the_stage():
    drawn = pictures(3)
    assert {tuple(drawn().shape[1:3]) for _ in range(12)} == {
        (256, 448),
        (448, 256),
        (320, 320),
    }


def test_equal_maps_have_no_distance():
    torch.manual_seed(0)
    network = MoveNet("lightning").eval()
    with torch.no_grad():
        maps = network(torch.randint(0, 256, (1, 64, 64, 3), dtype=torch.uint8))
        total = distances(maps, maps)["total"].item()
    assert total == pytest.approx(0, abs=0.02)  # the root keeps a little


def test_a_student_comes_nearer_to_its_teacher():
    torch.manual_seed(0)
    teacher, student = MoveNet("lightning"), MoveNet("lightning")
    shown = torch.randint(0, 256, (2, 64, 64, 3), dtype=torch.uint8)
    terms = distillation(teacher, lambda: shown)
    adam = torch.optim.Adam(student.parameters(), lr=1e-3)
    first = terms(student)["total"].item()
    for _ in range(20):
        loss = terms(student)["total"]
        adam.zero_grad()
        loss.backward()
        adam.step()
    assert loss.item() < 0.8 * first
    assert not any(parameter.requires_grad for parameter in teacher.parameters())
