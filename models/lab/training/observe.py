"""Readings of training pictures by a stage's frozen picture network, matched with the truth."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from posecascade.models.arrays import Floats, Indices
from posecascade.models.crops import Window
from posecascade.models.lab.datasets.sample import PoseSample
from posecascade.models.lab.networks.coarse import CENTER_FLOOR, CoarseStage
from posecascade.models.lab.networks.crop import CropStage, Prior
from posecascade.models.lab.networks.lifter import contract_outputs
from posecascade.models.lab.networks.readout import Reading
from posecascade.models.lab.training.readings import Columns, joined, reading_of
from posecascade.models.lab.training.views import View, frame_view, person_view
from posecascade.models.skeleton import COCO17

FOUND = 0.4
"""Similarity from which a reading belongs to a person, as in the evaluation."""

DUPLICATE = 0.2
"""A reading this near to a person who has a better one is neither right nor wrong."""

FALSE_PER_FRAME = 4
_COCO = np.array(COCO17.source)


def similarity(reading_px: Floats, view: View) -> Floats:
    """[P, M] mean over the joints inside of exp(-d^2 / (2 (0.15 s)^2)), s the person's size; readings [M, 17, 2]."""
    true = view.true_px[:, _COCO]  # [P, 17, 2]
    inside = view.inside[:, _COCO]  # [P, 17]
    d2 = np.square(true[:, None] - reading_px[None]).sum(-1)  # [P, M, 17]
    near = np.exp(-d2 / (2 * np.square(0.15 * view.size_px[:, None, None])))
    joints = np.maximum(inside.sum(-1)[:, None], 1)
    similarity: Floats = (near * inside[:, None]).sum(-1) / joints
    return similarity


def observe_frames(
    stage: CoarseStage, samples: Sequence[PoseSample], rng: np.random.Generator
) -> Columns:
    """Every person and the strongest false positives of each sample's random view."""
    parts = []
    for index, sample in enumerate(samples):
        view = frame_view(sample, rng)
        reading = _numpy(_read_frame(stage, view))
        rows, people = _paired(reading, view, sample)
        kept = {name: values[rows] for name, values in reading.items()}
        parts.append(_columns(kept, view, sample, people, index))
    return joined(parts)


@torch.inference_mode()
def _read_frame(stage: CoarseStage, view: View) -> Reading:
    device = next(stage.parameters()).device
    return stage.read(stage.network(torch.from_numpy(view.image_bgr)[None].to(device)))


def _paired(
    reading: dict[str, Floats], view: View, sample: PoseSample
) -> tuple[Indices, Indices]:
    """Rows of the reading that are kept and the person each belongs to, -1 for a false positive."""
    close = similarity(reading["joints_px"], view)  # [P, M]
    close[view.inside[:, _COCO].sum(1) < 4] = 0
    person, row = linear_sum_assignment(-close)
    good = close[person, row] >= FOUND
    person, row = person[good], row[good]
    unmatched = (reading["center_score"] > CENTER_FLOOR) & (
        close.max(0, initial=0) < DUPLICATE
    )
    unmatched[row] = False
    if sample.other_people_unlabelled or len(sample.ignore_xyxy):
        unmatched[:] = False
    false = np.flatnonzero(unmatched)[:FALSE_PER_FRAME]  # rows come strongest first
    return np.concatenate([row, false]), np.concatenate(
        [person, np.full(len(false), -1)]
    )


def observe_people(
    stage: CropStage, samples: Sequence[PoseSample], priors: Columns, batch: int = 8
) -> Columns:
    """The same people through the deep stage; `priors` as `priors_of` gives them."""
    parts = []
    for start in range(0, len(priors["sample"]), batch):
        rows = slice(start, start + batch)
        some = {name: values[rows] for name, values in priors.items()}
        pictures = some["sample"].astype(int).tolist()
        views = [
            person_view(samples[picture], joints_px, stage.size_hw)
            for picture, joints_px in zip(pictures, some["frame_px"], strict=True)
        ]
        reading = _numpy(_read_crops(stage, views, some))
        for i, view in enumerate(views):
            one = {name: values[i : i + 1] for name, values in reading.items()}
            person = some["person"][i : i + 1].astype(int)
            sample = samples[pictures[i]]
            parts.append(_columns(one, view, sample, person, pictures[i]))
    return joined(parts)


@torch.inference_mode()
def _read_crops(stage: CropStage, views: Sequence[View], priors: Columns) -> Reading:
    """What the deep stage reads in each view, given that person's prior in frame pixels."""
    device = next(stage.parameters()).device

    def put(array: NDArray[Any]) -> torch.Tensor:
        return torch.from_numpy(np.ascontiguousarray(array)).to(device)

    in_crop = [
        view.window.to_crop(joints_px)
        for view, joints_px in zip(views, priors["frame_px"], strict=True)
    ]
    prior = Prior(
        joints_px=put(np.stack(in_crop).astype(np.float32)),
        rel_mm=put(priors["prior_rel_mm"].astype(np.float32)),
        sigma_mm=put(priors["prior_sigma_mm"].astype(np.float32)),
        scores=put(priors["prior_scores"].astype(np.float32)),
    )
    crops = put(np.stack([view.image_bgr for view in views]))
    return stage.read(crops, prior)


@torch.inference_mode()
def priors_of(stage: CoarseStage | CropStage, columns: Columns) -> Columns:
    """Predictions of a trained stage for the people in its own readings, in frame pixels: the next stage's priors."""
    table = {name: torch.from_numpy(values) for name, values in columns.items()}
    body = stage.head(reading_of(table), table["intrinsics"].float())
    outputs = {name: value.numpy() for name, value in contract_outputs(body).items()}
    windows = [Window(*map(float, window)) for window in columns["window"]]
    frame_px = [
        window.to_frame(joints_px)
        for window, joints_px in zip(windows, outputs["joints_px"], strict=True)
    ]
    return {
        "frame_px": np.stack(frame_px),
        "prior_rel_mm": outputs["joints_rel_mm"],
        "prior_sigma_mm": outputs["sigma_mm"],
        "prior_scores": outputs["joint_scores"],
        "sample": columns["sample"],
        "person": columns["person"],
    }


def _numpy(reading: Reading) -> dict[str, Floats]:
    return {
        name: value.float().cpu().numpy() for name, value in reading._asdict().items()
    }


def _columns(
    reading: dict[str, Floats],
    view: View,
    sample: PoseSample,
    people: Indices,
    index: int,
) -> Columns:
    """Rows of the table for readings [M] of one view, each of person `people` [M] (-1: of nobody)."""
    count = len(people)
    known = people >= 0
    window = [view.window.x_px, view.window.y_px, view.window.scale]

    def of(values: NDArray[Any]) -> Floats:
        empty = np.zeros((count, *values.shape[1:]))
        empty[known] = values[people[known]]
        return empty

    root = sample.joints_mm[:, :1]
    return reading | {
        "intrinsics": np.tile(view.intrinsics, (count, 1)),
        "true_px": of(view.true_px),
        "true_rel_mm": of(sample.joints_mm - root),
        "true_root_mm": of(root[:, 0]),
        "has_px": of(sample.has_px),
        "has_mm": of(sample.has_mm & sample.has_mm[:, :1]),
        "inside": of(view.inside),
        "size_px": of(view.size_px),
        "is_person": known.astype(float),
        "sample": np.full(count, index),
        "person": people,
        "window": np.tile(window, (count, 1)),
    }
