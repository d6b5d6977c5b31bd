"""Reading people at true boxes: a perfect network is right at every angle, and a shifted one is not."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra `train`")

from posecascade.models.lab.datasets.coco_crops import CropPerson, plain_crop  # noqa: E402  (after the skip)
from posecascade.models.lab.datasets.labelled import read_folder  # noqa: E402
from posecascade.models.lab.networks.movenet import STRIDE, Maps  # noqa: E402
from posecascade.models.lab.scoring.true_boxes import (  # noqa: E402
    counted,
    pck_at_true_boxes,
    relative_errors,
)
from posecascade.models.skeleton import COCO17  # noqa: E402
from tests.models.lab.datasets.people import folder, image  # noqa: E402

SIZE_HW = (128, 96)
CPU = torch.device("cpu")
LEFT_KNEE = COCO17.joints.index("left_knee")


@pytest.fixture
def person(tmp_path) -> CropPerson:
    """In a black photo, in a box of 40 by 90 pixels; the left knee is not marked."""
    joints = np.random.default_rng(2).uniform([22, 12], [58, 98], (17, 2))
    marks = {
        name: [*place, 2]
        for name, place in zip(COCO17.joints, joints.tolist(), strict=True)
    }
    photo = image(width=80, height=120)
    photo["people"] = [{"joints2d": marks, "box": [20, 10, 60, 100]}]
    frame = read_folder(folder(tmp_path / "photos", photo)).frames[0]
    joints[LEFT_KNEE] = np.nan
    return CropPerson(frame, joints, np.array([20.0, 10.0, 60.0, 100.0]))


def knowing(person: CropPerson, angle_rad: float, off_px: float):
    """A network that reads each joint `off_px` crop pixels too far to the right."""
    photo = person.frame.image_bgr()
    places = plain_crop(person, photo, SIZE_HW, angle_rad).joints_px + [off_px, 0]
    cells = torch.tensor(places / STRIDE, dtype=torch.float32)
    height, width = SIZE_HW[0] // STRIDE, SIZE_HW[1] // STRIDE

    def network(images: "torch.Tensor") -> Maps:
        heatmaps = torch.zeros(1, 17, height, width)
        offsets = torch.zeros(1, 34, height, width)
        for joint, (x, y) in enumerate(cells.tolist()):
            row, column = int(y), int(x)
            heatmaps[0, joint, row, column] = 1
            offsets[0, 2 * joint : 2 * joint + 2, row, column] = torch.tensor(
                [y - row, x - column]
            )
        return Maps(heatmaps[:, :1], offsets, heatmaps, offsets)

    return network


@pytest.mark.parametrize("degrees", [0, 90, 180])
def test_whoever_knows_the_crop_is_right_in_the_photo(person, degrees):
    angle = np.radians(degrees)
    size_px = 60.0  # square root of 40 x 90
    crop = plain_crop(person, person.frame.image_bgr(), SIZE_HW, angle)
    scale = np.sqrt(np.linalg.det(crop.to_crop[:, :2]))
    near, far = 0.09 * size_px * scale, 0.11 * size_px * scale

    def pck(off_px: float) -> float:
        network = knowing(person, angle, off_px)
        return pck_at_true_boxes(network, [person], SIZE_HW, CPU, angle)

    assert (pck(0), pck(near), pck(far)) == (1, 1, 0)


def test_only_marked_limb_joints_count(person):
    errors = relative_errors(person, np.nan_to_num(person.joints_px) + [6, 0])

    np.testing.assert_allclose(errors, np.full(11, 0.1))


def test_people_with_few_marked_limb_joints_do_not_count(person):
    joints = person.joints_px.copy()
    joints[5:12] = np.nan  # hips and arms
    scarce = CropPerson(person.frame, joints, person.box_xyxy_px)

    assert counted([person, scarce]) == [person]
