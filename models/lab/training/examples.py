"""Predictions of a trained stage on a few training pictures, drawn."""

from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np
import torch
from torch import Tensor

from posecascade.models.arrays import Floats, Image
from posecascade.models.crops import fitted
from posecascade.models.lab.datasets.sample import PoseSample
from posecascade.models.lab.evaluation.contact_sheet import bones, side_colour
from posecascade.models.lab.networks.coarse import CoarseStage
from posecascade.models.lab.networks.crop import CropStage, Prior
from posecascade.models.lab.networks.lifter import contract_outputs
from posecascade.models.lab.training.observe import priors_of
from posecascade.models.lab.training.readings import Columns
from posecascade.models.lab.training.views import COARSE_SIZES_HW, View, person_view
from posecascade.models.skeleton import COCO17, JOINTS

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
        intrinsics = torch.tensor(
            [[focal, focal, picture.shape[1] / 2, picture.shape[0] / 2]]
        )
        found = stage(torch.from_numpy(picture)[None], intrinsics)
        for score, joints in zip(
            found["score"][0], found["joints_px"][0].numpy(), strict=True
        ):
            if score >= _LEAST:
                bones(picture, joints, side_colour, 2)
        tiles.append(picture)
    return _sheet(tiles)


@torch.inference_mode()
def people_seen(
    stage: CropStage,
    samples: Sequence[PoseSample],
    columns: Columns,
    earlier: CoarseStage,
) -> Image:
    """A sheet of the people in `columns`, an earlier stage's readings: the truth in white, the prediction over it."""
    priors = priors_of(earlier, columns)
    step = max(1, len(priors["person"]) // (3 * _COLUMNS))
    tiles: list[Image] = []
    for row in np.flatnonzero(priors["person"] >= 0)[::step]:
        sample = samples[int(priors["sample"][row])]
        person = int(priors["person"][row])
        view = person_view(sample, priors["frame_px"][row], stage.size_hw)
        picture = view.image_bgr.copy()
        true_px = np.where(_COCO[:, None], view.true_px[person], np.nan)
        bones(picture, true_px, lambda joint: (255, 255, 255), 1)
        bones(picture, _predicted_px(stage, view, priors, int(row)), side_colour, 2)
        tiles.append(picture)
    return _sheet(tiles[: 3 * _COLUMNS])


def _predicted_px(stage: CropStage, view: View, priors: Columns, row: int) -> Floats:
    """[25, 2] joints of the person in one row of the priors, in pixels of the view."""
    prior = Prior(
        joints_px=_batch_of_one(view.window.to_crop(priors["frame_px"][row])),
        rel_mm=_batch_of_one(priors["prior_rel_mm"][row]),
        sigma_mm=_batch_of_one(priors["prior_sigma_mm"][row]),
        scores=_batch_of_one(priors["prior_scores"][row]),
    )
    reading = stage.read(torch.from_numpy(view.image_bgr)[None], prior)
    body = stage.head(reading, _batch_of_one(view.intrinsics))
    predicted_px: Floats = contract_outputs(body)["joints_px"][0].numpy()
    return predicted_px


def _batch_of_one(values: Floats) -> Tensor:
    return torch.from_numpy(np.asarray(values, np.float32))[None]


def _sheet(tiles: Sequence[Image]) -> Image:
    small = [
        cv2.resize(tile, (TILE_PX, TILE_PX), interpolation=cv2.INTER_AREA)
        for tile in tiles
    ]
    blank = np.zeros((TILE_PX, TILE_PX, 3), np.uint8)
    small += [blank] * (-len(small) % _COLUMNS)
    rows = [
        np.hstack(small[start : start + _COLUMNS])
        for start in range(0, len(small), _COLUMNS)
    ]
    return np.asarray(np.vstack(rows), np.uint8)
