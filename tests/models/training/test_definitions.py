"""The picture network's definition of joints is found in what it reads, and simulated bodies are shifted by it."""

import pytest

torch = pytest.importorskip("torch", reason="needs the extra `train`")

from models.skeleton import COCO17, JOINT_NAMES, MIRROR  # noqa: E402  (after the skip)
from models.training.definitions import measured, moved, torso_axes  # noqa: E402

PEOPLE = 400
SHOULDERS = [COCO17.joints.index(f"{side}_shoulder") for side in ("left", "right")]


def bodies(generator):
    """Symmetric upright people 1.7 m tall with loose limbs, turned about the vertical."""
    body = 60 * torch.randn(PEOPLE, 25, 3, generator=generator)
    body = (body + body[:, MIRROR.tolist()] * torch.tensor([-1.0, 1.0, 1.0])) / 2
    place = {"pelvis": (0, 0), "neck": (0, -500), "left_hip": (100, 0), "right_hip": (-100, 0)}
    for name, (x, y) in place.items():
        body[:, JOINT_NAMES.index(name)] = torch.tensor([float(x), float(y), 0.0])
    angle = 6.28 * torch.rand(PEOPLE, generator=generator)
    c, s, none = angle.cos(), angle.sin(), torch.zeros_like(angle)
    turn = torch.stack([c, none, s, none, none + 1, none, -s, none, c], 1).view(-1, 3, 3)
    return body @ turn.mT


def table(offset, generator):
    rel = bodies(generator)
    root = torch.tensor([0.0, 0.0, 4000.0]).expand(PEOPLE, 3)
    spots = moved(rel, offset, torch.ones(PEOPLE)) + root[:, None]
    space = rel + root[:, None]

    def project(p):
        return 500 * p[..., :2] / p[..., 2:] + 200

    read = project(spots) + 0.5 * torch.randn(PEOPLE, 17, 2, generator=generator)
    gross = torch.rand(PEOPLE, 17, 1, generator=generator) < 0.05
    return {
        "true_rel_mm": rel, "true_root_mm": root, "true_px": project(space),
        "joints_px": torch.where(gross, 90.0, read),
        "intrinsics": torch.tensor([500.0, 500.0, 200.0, 200.0]).expand(PEOPLE, 4),
        "scores": torch.ones(PEOPLE, 17), "inside": torch.ones(PEOPLE, 25),
    }  # fmt: skip


def test_the_axes_of_a_torso_are_its_own():
    axes = torso_axes(bodies(torch.Generator().manual_seed(1)))
    assert torch.allclose(axes @ axes.mT, torch.eye(3).expand(PEOPLE, 3, 3), atol=1e-5)
    assert torch.allclose(axes[:, 1], torch.tensor([0.0, -1.0, 0.0]).expand(PEOPLE, 3), atol=1e-5)  # y points down


def test_offsets_are_found_among_noise_and_gross_errors():
    offset = torch.zeros(17, 3)
    offset[SHOULDERS[0]], offset[SHOULDERS[1]] = torch.tensor([-8.0, 52.0, -10.0]), torch.tensor([8.0, 52.0, -10.0])
    found = measured(table(offset, torch.Generator().manual_seed(2)))
    assert (found - offset).abs().max() < 3.0


def test_no_share_moves_nothing():
    rel = bodies(torch.Generator().manual_seed(3))
    assert torch.equal(moved(rel, torch.ones(17, 3), torch.zeros(PEOPLE)), rel[:, list(COCO17.source)])
