"""What a trained stage sees in a few training pictures, drawn."""

from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np
import torch

from models.arrays import Image
from models.crops import fitted
from models.datasets.sample import PoseSample
from models.evaluation.contact_sheet import bones, side_colour
from models.networks.body import outputs
from models.networks.coarse import CoarseStage
from models.networks.crop import CropStage, Prior
from models.skeleton import COCO17, JOINTS
from models.training.observe import priors_of
from models.training.readings import Columns
from models.training.views import COARSE_SIZES_HW, person_view

TILE_PX = 288
_COLUMNS = 4
_LEAST = 0.3
"""Person score from which somebody is drawn."""
_COCO: Final = np.isin(np.arange(JOINTS), COCO17.source)


@torch.inference_mode()
def frames_seen(stage: CoarseStage, samples: Sequence[PoseSample]) -> Image:
    """A sheet of frames with everyone `coarse` finds; left limbs orange, right limbs blue."""
    tiles = []
    for sample in samples:
        picture, _ = fitted(sample.image_bgr, COARSE_SIZES_HW[-1])
        focal = 0.9 * picture.shape[1]  # only the 3D depends on it
        intrinsics = torch.tensor([[focal, focal, picture.shape[1] / 2, picture.shape[0] / 2]])
        found = stage(torch.from_numpy(picture)[None], intrinsics)
        for score, joints in zip(found["score"][0], found["joints_px"][0].numpy(), strict=True):
            if score >= _LEAST:
                bones(picture, joints, side_colour, 2)
        tiles.append(picture)
    return _sheet(tiles)


@torch.inference_mode()
def people_seen(stage: CropStage, samples: Sequence[PoseSample], columns: Columns, earlier: CoarseStage) -> Image:
    """A sheet of the people in `columns`, an earlier stage's readings: the truth in white, the answer over it."""
    said = priors_of(earlier, columns)
    tiles = []
    for row in np.flatnonzero(said["person"] >= 0)[:: max(1, len(said["person"]) // (3 * _COLUMNS))]:
        sample, person = samples[int(said["sample"][row])], int(said["person"][row])
        view = person_view(sample, said["frame_px"][row], stage.size_hw)
        names = ("prior_rel_mm", "prior_sigma_mm", "prior_scores")
        known = [view.window.enter(said["frame_px"][row]), *(said[name][row] for name in names)]
        prior = Prior(*(torch.from_numpy(np.asarray(values, np.float32))[None] for values in known))
        picture = view.image_bgr.copy()
        reading = stage.read(torch.from_numpy(view.image_bgr)[None], prior)
        intrinsics = torch.from_numpy(np.asarray(view.intrinsics, np.float32))[None]
        joints = outputs(stage.head(reading, intrinsics))["joints_px"][0].numpy()
        bones(picture, np.where(_COCO[:, None], view.true_px[person], np.nan), lambda joint: (255, 255, 255), 1)
        bones(picture, joints, side_colour, 2)
        tiles.append(picture)
    return _sheet(tiles[: 3 * _COLUMNS])


def _sheet(tiles: Sequence[Image]) -> Image:
    small = [cv2.resize(tile, (TILE_PX, TILE_PX), interpolation=cv2.INTER_AREA) for tile in tiles]
    blank = np.zeros((TILE_PX, TILE_PX, 3), np.uint8)
    small += [blank] * (-len(small) % _COLUMNS)
    rows = [np.hstack(small[start : start + _COLUMNS]) for start in range(0, len(small), _COLUMNS)]
    return np.asarray(np.vstack(rows), np.uint8)
