"""The 3D head: its geometry, its corrections and its metric outputs."""

import pytest

torch = pytest.importorskip("torch", reason="needs the extra `train`")

from posecascade.models.lab.networks.lifter import (  # noqa: E402  (after the skip)
    BodyHead,
    contract_outputs,
    normalize_view,
    pull_onto_rays,
)
from posecascade.models.lab.networks.readout import Reading  # noqa: E402
from posecascade.models.skeleton import MIRROR  # noqa: E402

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


def test_the_normalized_view_has_the_hips_on_its_axis(reading, intrinsics):
    hips = normalize_view(reading, intrinsics).forward(
        reading.joints_px[:, 11:13].mean(1, keepdim=True)
    )
    assert hips.abs().max() < 0.02


def test_the_normalized_view_is_a_rotation(reading, intrinsics):
    rotation = normalize_view(reading, intrinsics).rotation
    assert torch.allclose(
        rotation @ rotation.mT, torch.eye(3).expand(PEOPLE, 3, 3), atol=1e-5
    )
    assert torch.allclose(torch.linalg.det(rotation), torch.ones(PEOPLE), atol=1e-5)


def test_inverse_undoes_forward(reading, intrinsics):
    view = normalize_view(reading, intrinsics)
    assert torch.allclose(
        view.inverse(view.forward(reading.joints_px)), reading.joints_px, atol=0.05
    )


def test_twice_the_picture_is_the_same_body(reading, intrinsics):
    head = BodyHead(deep=False).eval()
    larger = reading._replace(
        joints_px=2 * reading.joints_px, regressed_px=2 * reading.regressed_px
    )
    with torch.inference_mode():
        once = normalize_view(reading, intrinsics)
        twice = normalize_view(larger, 2 * intrinsics)
        outputs = contract_outputs(head(reading, intrinsics))
    assert torch.allclose(once.scale, twice.scale, rtol=1e-4)
    assert torch.allclose(once.rotation, twice.rotation, atol=1e-5)
    assert outputs["joints_rel_mm"][:, 0].abs().max() == 0


def test_coco_joints_stay_where_they_were_read(reading, intrinsics):
    head = BodyHead(deep=False).eval()
    with torch.inference_mode():
        px = contract_outputs(head(reading, intrinsics))["joints_px"]
    assert torch.allclose(px[:, 9], reading.joints_px[:, 5], atol=0.05)  # left shoulder


def test_a_deep_head_that_starts_from_coarse_lifts_alike(reading, intrinsics):
    coarse = BodyHead(deep=False).train()  # in training the network stands alone
    deep = BodyHead(deep=True).train()
    deep.start_from(coarse)
    with torch.inference_mode():
        want = contract_outputs(coarse(reading, intrinsics))["joints_rel_mm"]
        got = contract_outputs(deep(reading, intrinsics))["joints_rel_mm"]
    assert torch.allclose(want, got, atol=0.5)


def test_a_deep_head_averages_its_own_lifter_and_the_coarse_one(reading, intrinsics):
    torch.manual_seed(5)
    coarse = BodyHead(deep=False, width=32, blocks=1)
    deep = BodyHead(deep=True, width=32, blocks=1).eval()
    deep.start_from(coarse)
    torch.nn.init.normal_(deep.linear_skip.weight, std=0.02)  # as if it had learned
    features = torch.randn(3, deep.input_layer.in_features)
    plane, regressed, scores, person = features.split([34, 34, 17, 3], 1)
    with torch.inference_mode():
        own = deep.lift(features).rel
        former = coarse.lift(features).rel
        output = deep._lift(
            plane.unflatten(1, (17, 2)),
            regressed.unflatten(1, (17, 2)),
            scores,
            person,
        )
    assert not torch.allclose(own, former, atol=1e-3)
    assert torch.allclose(output.rel, (own + former) / 2, atol=1e-5)


def test_the_coarse_lifter_is_handed_on_and_never_trained(reading, intrinsics):
    torch.manual_seed(6)
    coarse = BodyHead(deep=False, width=32, blocks=1)
    first, second = (BodyHead(deep=True, width=32, blocks=1) for _ in range(2))
    first.start_from(coarse)
    torch.nn.init.normal_(first.linear_skip.weight, std=0.02)
    second.start_from(first)
    assert torch.equal(second.linear_skip.weight, first.linear_skip.weight)
    assert torch.equal(
        second.coarse_lifter.linear_skip.weight, coarse.linear_skip.weight
    )
    assert not any(
        parameter.requires_grad for parameter in second.coarse_lifter.parameters()
    )


def test_a_deep_stage_blends_in_the_measured_depths(reading, intrinsics):
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
    assert torch.allclose(
        pull_onto_rays(body, slopes_to(body, 4.0), torch.ones(PEOPLE, 25)),
        body,
        atol=1e-5,
    )


def test_joints_are_pulled_onto_rays_as_far_as_these_are_trusted(body):
    off = body + torch.tensor([0.05, -0.05, 0.0]) * torch.randn(PEOPLE, 25, 1)
    off[:, 0] = 0
    trust = torch.ones(PEOPLE, 25)
    trust[:, 9] = 0
    moved = pull_onto_rays(off, slopes_to(body, 4.0), trust)
    before = (off - body).norm(dim=2)
    after = (moved - body).norm(dim=2)
    assert torch.equal(moved[:, 9], off[:, 9])
    assert torch.equal(moved[..., 2], off[..., 2])
    assert after[:, 10:].mean() < 0.6 * before[:, 10:].mean()


def test_a_deep_stage_gives_mirrored_people_mirrored_bodies(reading, intrinsics):
    torch.manual_seed(3)
    head = BodyHead(deep=True, width=32, blocks=1).eval()
    torch.nn.init.normal_(head.linear_skip.weight, std=0.1)
    other = [0, 2, 1, 4, 3, 6, 5, 8, 7, 10, 9, 12, 11, 14, 13, 16, 15]
    # COCO's left for its right

    def mirrored(px):
        return torch.stack([2 * 224.0 - px[:, other, 0], px[:, other, 1]], -1)

    mirrored_reading = reading._replace(
        joints_px=mirrored(reading.joints_px),
        regressed_px=mirrored(reading.regressed_px),
        scores=reading.scores[:, other],
        depths_m=reading.depths_m[:, MIRROR.tolist()],
    )
    with torch.inference_mode():
        body = head(reading, intrinsics)
        flipped = head(mirrored_reading, intrinsics)
    back = flipped.rel_m[:, MIRROR.tolist()] * torch.tensor([-1.0, 1.0, 1.0])
    assert torch.allclose(body.rel_m, back, atol=1e-4)
    assert torch.allclose(
        body.log_spread, flipped.log_spread[:, MIRROR.tolist()], atol=1e-4
    )
