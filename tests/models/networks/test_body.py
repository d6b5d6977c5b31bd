"""The head: its geometry, and what it says in metric terms."""

import pytest

torch = pytest.importorskip("torch", reason="needs the extra `train`")

from models.networks.body import BodyHead, face, on_rays, outputs  # noqa: E402  (after the skip)
from models.networks.readout import Reading  # noqa: E402
from models.skeleton import MIRROR  # noqa: E402

PEOPLE = 5


@pytest.fixture
def reading() -> Reading:
    g = torch.Generator().manual_seed(1)
    centre = 100 + 200 * torch.rand(PEOPLE, 1, 2, generator=g)
    px = centre + 40 * torch.randn(PEOPLE, 17, 2, generator=g)
    return Reading(
        px,
        torch.rand(PEOPLE, 17, generator=g),
        px + torch.randn(PEOPLE, 17, 2, generator=g),
        torch.ones(PEOPLE),
        0.2 * torch.randn(PEOPLE, 25, generator=g),
    )


@pytest.fixture
def intrinsics() -> "torch.Tensor":
    return torch.tensor([400.0, 420.0, 224.0, 128.0]).expand(PEOPLE, 4)


def test_the_turn_puts_the_hips_on_the_axis(reading, intrinsics):
    hips = face(reading, intrinsics).enter(reading.joints_px[:, 11:13].mean(1, keepdim=True))
    assert hips.abs().max() < 0.02


def test_the_turn_is_a_rotation(reading, intrinsics):
    rotation = face(reading, intrinsics).rotation
    assert torch.allclose(rotation @ rotation.mT, torch.eye(3).expand(PEOPLE, 3, 3), atol=1e-5)
    assert torch.allclose(torch.linalg.det(rotation), torch.ones(PEOPLE), atol=1e-5)


def test_leaving_the_turned_plane_undoes_entering(reading, intrinsics):
    turn = face(reading, intrinsics)
    assert torch.allclose(turn.leave(turn.enter(reading.joints_px)), reading.joints_px, atol=0.05)


def test_twice_the_picture_is_the_same_body(reading, intrinsics):
    head = BodyHead(deep=False).eval()
    larger = reading._replace(joints_px=2 * reading.joints_px, regressed_px=2 * reading.regressed_px)
    with torch.inference_mode():
        once, twice = face(reading, intrinsics), face(larger, 2 * intrinsics)
        said = outputs(head(reading, intrinsics))
    assert torch.allclose(once.scale, twice.scale, rtol=1e-4)
    assert torch.allclose(once.rotation, twice.rotation, atol=1e-5)
    assert said["joints_rel_mm"][:, 0].abs().max() == 0


def test_joints_that_were_read_stay_where_they_were_read(reading, intrinsics):
    head = BodyHead(deep=False).eval()
    with torch.inference_mode():
        px = outputs(head(reading, intrinsics))["joints_px"]
    assert torch.allclose(px[:, 9], reading.joints_px[:, 5], atol=0.05)  # left shoulder


def test_a_deep_head_that_starts_from_coarse_lifts_alike(reading, intrinsics):
    coarse, deep = BodyHead(deep=False).train(), BodyHead(deep=True).train()  # the networks alone
    deep.start_from(coarse)
    with torch.inference_mode():
        alone, led = outputs(coarse(reading, intrinsics)), outputs(deep(reading, intrinsics))
    assert torch.allclose(alone["joints_rel_mm"], led["joints_rel_mm"], atol=0.5)


def test_a_deep_head_answers_in_the_mean_of_its_own_lifter_and_its_elder(reading, intrinsics):
    torch.manual_seed(5)
    coarse, deep = BodyHead(deep=False, width=32, blocks=1), BodyHead(deep=True, width=32, blocks=1).eval()
    deep.start_from(coarse)
    torch.nn.init.normal_(deep.straight.weight, std=0.02)  # as if it had learned
    plain = torch.randn(3, deep.enter.in_features)
    with torch.inference_mode():
        own, elder = deep.lift(plain).rel, coarse.lift(plain).rel
        both = (own + elder) / 2
        assert not torch.allclose(own, elder, atol=1e-3)
        parts = plain.split([34, 34, 17, 3], 1)
        said = deep._answer(parts[0].unflatten(1, (17, 2)), parts[1].unflatten(1, (17, 2)), *parts[2:])
    assert torch.allclose(said.rel, both, atol=1e-5)


def test_an_elder_is_handed_on_and_never_trained(reading, intrinsics):
    torch.manual_seed(6)
    coarse = BodyHead(deep=False, width=32, blocks=1)
    first, second = (BodyHead(deep=True, width=32, blocks=1) for _ in range(2))
    first.start_from(coarse)
    torch.nn.init.normal_(first.straight.weight, std=0.02)
    second.start_from(first)
    assert torch.equal(second.straight.weight, first.straight.weight)
    assert torch.equal(second.elder.straight.weight, coarse.straight.weight)
    assert not any(parameter.requires_grad for parameter in second.elder.parameters())


def test_depths_that_were_read_are_mixed_into_those_of_a_deep_stage(reading, intrinsics):
    torch.manual_seed(3)
    blind = reading._replace(depths_m=torch.zeros_like(reading.depths_m))
    for deep in (False, True):
        head = BodyHead(deep=deep, width=32, blocks=1).eval()
        with torch.inference_mode():
            moved = head(reading, intrinsics).rel_m - head(blind, intrinsics).rel_m
        assert torch.allclose(moved[..., 2], 0.5 * deep * reading.depths_m, atol=1e-6)


@pytest.fixture
def body() -> "torch.Tensor":
    """[M, 25, 3] metres, people of about 4 m away."""
    rel = 0.4 * torch.randn(PEOPLE, 25, 3, generator=torch.Generator().manual_seed(2))
    return rel - rel[:, :1]


def slopes_to(body: "torch.Tensor", distance: float) -> "torch.Tensor":
    """Of rays to the joints of people whose pelvis is off the axis."""
    place = body + torch.tensor([0.3, -0.2, distance])
    return place[..., :2] / place[..., 2:]


def test_a_body_that_lies_on_its_rays_stays(body):
    assert torch.allclose(on_rays(body, slopes_to(body, 4.0), torch.ones(PEOPLE, 25)), body, atol=1e-5)


def test_joints_are_drawn_onto_rays_as_far_as_these_are_trusted(body):
    off = body + torch.tensor([0.05, -0.05, 0.0]) * torch.randn(PEOPLE, 25, 1)
    off[:, 0] = 0
    trust = torch.ones(PEOPLE, 25)
    trust[:, 9] = 0
    moved = on_rays(off, slopes_to(body, 4.0), trust)
    before, after = (off - body).norm(dim=2), (moved - body).norm(dim=2)
    assert torch.equal(moved[:, 9], off[:, 9])
    assert torch.equal(moved[..., 2], off[..., 2])
    assert after[:, 10:].mean() < 0.6 * before[:, 10:].mean()


def test_a_deep_stage_gives_mirrored_people_mirrored_bodies(reading, intrinsics):
    torch.manual_seed(3)
    head = BodyHead(deep=True, width=32, blocks=1).eval()
    torch.nn.init.normal_(head.straight.weight, std=0.1)
    other = [0, 2, 1, 4, 3, 6, 5, 8, 7, 10, 9, 12, 11, 14, 13, 16, 15]  # COCO's left for its right

    def mirrored(px):
        return torch.stack([2 * 224.0 - px[:, other, 0], px[:, other, 1]], -1)

    turned = reading._replace(
        joints_px=mirrored(reading.joints_px),
        regressed_px=mirrored(reading.regressed_px),
        scores=reading.scores[:, other],
        depths_m=reading.depths_m[:, MIRROR.tolist()],
    )
    with torch.inference_mode():
        body, flipped = head(reading, intrinsics), head(turned, intrinsics)
    back = flipped.rel_m[:, MIRROR.tolist()] * torch.tensor([-1.0, 1.0, 1.0])
    assert torch.allclose(body.rel_m, back, atol=1e-4)
    assert torch.allclose(body.log_spread, flipped.log_spread[:, MIRROR.tolist()], atol=1e-4)
