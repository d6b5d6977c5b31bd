"""How well a crop network reads people whose boxes are given: PCK2D@.1 at true boxes.

Each person is cut at the labelled box, turned by an angle; each joint is the heatmap's highest cell plus that cell's
offset. Nothing finds people here and no prior helps, so the figure is the network's own.
"""

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
import torch
from torch import Tensor

from posecascade.models.arrays import Floats
from posecascade.models.lab.datasets.coco_crops import (
    CropPerson,
    PhotoCache,
    plain_crop,
    to_photo,
)
from posecascade.models.lab.networks.movenet import STRIDE, Maps
from posecascade.models.lab.networks.readout import READ_JOINTS
from posecascade.models.lab.scoring.matching import LEAST_MARKED, LEAST_SIZE_PX, LIMBS
from posecascade.models.lab.scoring.metrics import PCK2D, distances, pck
from posecascade.models.skeleton import COCO17

LIMB_JOINTS: Final = np.array([COCO17.source.index(int(joint)) for joint in LIMBS])
"""[12] limb joints in COCO's order."""
_BATCH: Final = 16


def counted(people: Sequence[CropPerson]) -> list[CropPerson]:
    """People with enough marked limb joints, as in `matching`."""
    return [
        person
        for person in people
        if np.isfinite(person.joints_px[LIMB_JOINTS, 0]).sum() >= LEAST_MARKED
    ]


def highest_cells(maps: Maps) -> Tensor:
    """[N, 17, 2] joints (x, y) in pixels of the input, each at its heatmap's highest cell plus the offset there."""
    width = maps.heatmaps.shape[3]
    cell = maps.heatmaps.flatten(2).argmax(2)  # [N, 17]
    offsets = maps.offsets.flatten(2).unflatten(1, (READ_JOINTS, 2))  # [N, 17, 2, hw]
    index = cell[..., None, None].expand(-1, -1, 2, 1)
    moves = torch.gather(offsets, 3, index).squeeze(3)  # [N, 17, 2] (dy, dx)
    place = torch.stack([cell % width, cell // width], -1) + moves.flip(-1)
    return STRIDE * place


@torch.inference_mode()
def pck_at_true_boxes(
    network: Callable[[Tensor], Maps],
    people: Sequence[CropPerson],
    size_hw: tuple[int, int],
    device: torch.device,
    angle_rad: float = 0.0,
) -> float:
    """Share of the marked limb joints of all people that are right within a tenth of the person's size."""
    photos = PhotoCache()
    errors: list[Floats] = []
    for start in range(0, len(people), _BATCH):
        some = people[start : start + _BATCH]
        crops = [
            plain_crop(person, photos(person), size_hw, angle_rad) for person in some
        ]
        images = torch.from_numpy(np.stack([crop.image_bgr for crop in crops]))
        read = highest_cells(network(images.to(device))).cpu().numpy()
        for person, crop, joints in zip(some, crops, read, strict=True):
            errors.append(relative_errors(person, to_photo(joints, crop.to_crop)))
    return pck(np.concatenate(errors), PCK2D)


def relative_errors(person: CropPerson, joints_px: Floats) -> Floats:
    """[M] distances of the marked limb joints from joints [17, 2] in the photo, in sizes of the person."""
    truth = person.joints_px[LIMB_JOINTS]
    marked = np.isfinite(truth[:, 0])
    area = float(np.prod(person.box_xyxy_px[2:] - person.box_xyxy_px[:2]))
    size_px = max(np.sqrt(abs(area)), LEAST_SIZE_PX)
    off_px = distances(joints_px[LIMB_JOINTS][marked], truth[marked])
    return np.asarray(off_px / size_px)
