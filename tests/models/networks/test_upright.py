"""The second look: the square that BlazePose is shown, and which landmark stands for which joint."""

import pytest

torch = pytest.importorskip("torch", reason="needs the extra `train`")

from models.networks.upright import UprightReader, resampled, upright_square  # noqa: E402  (after the skip)
from models.skeleton import COCO17, JOINT_NAMES  # noqa: E402

SHOULDERS = slice(5, 7)


def standing(hips: tuple[float, float], shoulders: tuple[float, float]) -> "torch.Tensor":
    """[17, 2] everything at the hips but the shoulders."""
    joints = torch.tensor(hips).repeat(17, 1)
    joints[SHOULDERS] = torch.tensor(shoulders)
    return joints


def spot(x: int, y: int) -> "torch.Tensor":
    """[1, 200, 160, 3] a black crop with a red square of 9 pixels about (x, y)."""
    crop = torch.zeros(1, 200, 160, 3, dtype=torch.uint8)
    crop[0, y - 4 : y + 5, x - 4 : x + 5, 2] = 255
    return crop


def centre_of(square: "torch.Tensor") -> tuple[float, float]:
    """(x, y) of the middle of what is red."""
    red = square[0, 0]
    along = torch.arange(256) + 0.5
    return float((red.sum(0) * along).sum() / red.sum()), float((red.sum(1) * along).sum() / red.sum())


def shown(crop: "torch.Tensor", joints: "torch.Tensor", scores: "torch.Tensor | None" = None) -> "torch.Tensor":
    """The square of one person with joints [17, 2]."""
    seen = torch.ones(17) if scores is None else scores
    return resampled(crop, upright_square(joints[None], seen[None]))


@pytest.mark.parametrize(
    ("shoulders", "seen_at"),
    [
        ((80.0, 60.0), (80, 60)),  # upright
        ((120.0, 100.0), (120, 100)),  # lying to the right
        ((80.0, 140.0), (80, 140)),  # upside down
    ],
)
def test_the_shoulders_are_above_the_hips_however_the_person_lies(shoulders, seen_at):
    square = shown(spot(*seen_at), standing((80.0, 100.0), shoulders))
    x, y = centre_of(square)
    assert square.shape == (1, 3, 256, 256)
    assert x == pytest.approx(128, abs=3)
    assert y == pytest.approx(128 - 128 / 1.25, abs=3)


def test_right_of_the_person_is_right_in_the_square():
    x, y = centre_of(shown(spot(100, 100), standing((80.0, 100.0), (80.0, 60.0))))
    assert (x, y) == (pytest.approx(128 + 128 / 1.25 / 2, abs=3), pytest.approx(128, abs=3))


def test_joints_that_were_not_seen_do_not_stretch_the_square():
    joints, scores = standing((80.0, 100.0), (80.0, 60.0)), torch.ones(17)
    joints[16], scores[16] = torch.tensor([80.0, 190.0]), 0.05
    _, y = centre_of(shown(spot(80, 60), joints, scores))
    assert y == pytest.approx(128 - 128 / 1.25, abs=3)


def test_beyond_the_crop_is_black():
    square = shown(torch.full((1, 40, 40, 3), 255, dtype=torch.uint8), standing((0.0, 20.0), (0.0, -60.0)))
    assert square[0, :, :, :120].max() == 0
    assert square[0, :, 128, 140].min() == 1


def test_places_in_the_square_come_back_to_where_they_lie_in_the_crop():
    square = upright_square(standing((80.0, 100.0), (110.0, 60.0))[None], torch.ones(1, 17))
    above = torch.tensor([[[0.0, 0.0], [0.0, -1 / 1.25]]])
    assert torch.allclose(square.leave(above)[0], torch.tensor([[80.0, 100.0], [110.0, 60.0]]), atol=0.05)


@pytest.mark.parametrize("variant", ["lite", "full"])
def test_a_reading_is_of_cocos_joints_and_of_depths_relative_to_the_pelvis(variant):
    torch.manual_seed(0)
    crops = torch.randint(0, 256, (2, 64, 64, 3), dtype=torch.uint8)
    joints = standing((32.0, 32.0), (32.0, 10.0)).expand(2, 17, 2)
    with torch.inference_mode():
        reading = UprightReader(variant).eval()(crops, joints, torch.ones(2, 17))
    assert reading.joints_px.shape == (2, 17, 2)
    assert reading.scores.shape == (2, 17)
    assert reading.depths_m.shape == (2, 25)
    assert reading.depths_m[:, 0].abs().max() == 0


def test_every_joint_of_coco_is_one_landmark():
    reader = UprightReader("lite")
    assert torch.allclose(reader.landmarks.sum(1), torch.ones(25))
    rows = [JOINT_NAMES.index(name) for name in COCO17.joints]
    assert (reader.landmarks[rows].amax(1) == 1).all()
    assert reader.landmarks[rows].argmax(1).tolist() == reader.coco.tolist()
    assert len(set(reader.coco.tolist())) == 17
