"""From the columns of a rendered batch to the record of all data sets."""

import numpy as np
import torch

from posecascade.models.camera import project
from posecascade.models.lab.rendering.shots import samples_of

SIZE_PX = 32
FOCAL_PX = 40.0


def batch() -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    """Two pictures, the first blue, the second red. In the first a person whole and one who reaches behind the camera,
    in the second one out of the frame."""
    images = torch.zeros(2, 3, SIZE_PX, SIZE_PX, dtype=torch.uint8)
    images[0, 2], images[1, 0] = 255, 255
    mm = torch.zeros(3, 25, 3) + torch.tensor([100.0, -50, 2000])
    mm[1, 20:, 2] = -300
    px = mm[..., :2] / mm[..., 2:] * FOCAL_PX + SIZE_PX / 2
    k = torch.tensor(
        [[FOCAL_PX, 0, SIZE_PX / 2], [0, FOCAL_PX, SIZE_PX / 2], [0, 0, 1]]
    )
    return images, {
        "K": k.expand(2, 3, 3),
        "frame": torch.tensor([0, 0, 1]),
        "truncated": torch.tensor([0.0, 0.5, 1.0]),
        "joints_mm": mm,
        "joints_px": px,
        "vis": torch.full((3, 25), 3, dtype=torch.uint8),
        "box": torch.zeros(3, 4),
    }


def test_pictures_become_blue_green_red():
    first, second = samples_of(*batch())

    assert first.image_bgr[0, 0].tolist() == [255, 0, 0]
    assert second.image_bgr[0, 0].tolist() == [0, 0, 255]


def test_each_picture_keeps_its_people_and_loses_those_outside():
    assert [sample.people for sample in samples_of(*batch())] == [2, 0]


def test_who_reaches_behind_the_camera_stays_without_those_places():
    first, _ = samples_of(*batch())

    assert first.has_px.sum(1).tolist() == [25, 20]
    assert first.has_mm.all()


def test_places_are_where_the_camera_sees_the_joints():
    first, _ = samples_of(*batch())
    places = project(first.joints_mm[first.has_px], first.camera)

    np.testing.assert_allclose(places, first.joints_px[first.has_px], atol=1e-4)
