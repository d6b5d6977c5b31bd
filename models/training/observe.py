"""Looks at training pictures with a stage's frozen picture network and pairs what it reads with the truth."""

from collections.abc import Sequence

import numpy as np
import torch
from scipy.optimize import linear_sum_assignment

from models.arrays import Floats
from models.crops import Window
from models.datasets.sample import PoseSample
from models.networks.body import outputs
from models.networks.coarse import CENTER_FLOOR, CoarseStage
from models.networks.crop import CropStage, Prior
from models.networks.readout import Reading
from models.skeleton import COCO17
from models.training.readings import Columns, joined, reading_of
from models.training.views import View, frame_view, person_view

FOUND = 0.4
"""Similarity from which a reading belongs to a person, as in the evaluation."""

DUPLICATE = 0.2
"""A reading this near to a person who has a better one is neither right nor wrong."""

FALSE_PER_FRAME = 4
_COCO = np.array(COCO17.source)


def similarity(reading_px: Floats, view: View) -> Floats:
    """[P, M] mean over the joints inside of exp(-d^2 / (2 (0.15 s)^2)), s the person's size; readings [M, 17, 2]."""
    true, inside = view.true_px[:, _COCO], view.inside[:, _COCO]  # [P, 17, 2]
    d2 = np.square(true[:, None] - reading_px[None]).sum(-1)  # [P, M, 17]
    near = np.exp(-d2 / (2 * np.square(0.15 * view.size_px[:, None, None])))
    return (near * inside[:, None]).sum(-1) / np.maximum(inside.sum(-1)[:, None], 1)


def observe_frames(stage: CoarseStage, samples: Sequence[PoseSample], rng: np.random.Generator) -> Columns:
    """Every person and the strongest false finds of each sample's random view."""
    parts = []
    for index, sample in enumerate(samples):
        view = frame_view(sample, rng)
        reading = _numpy(_look(stage, view))
        rows, people = _paired(reading, view, sample)
        parts.append(_columns({k: v[rows] for k, v in reading.items()}, view, sample, people, index))
    return joined(parts)


@torch.inference_mode()
def _look(stage: CoarseStage, view: View) -> Reading:
    device = next(stage.parameters()).device
    return stage.read(stage.network(torch.from_numpy(view.image_bgr)[None].to(device)))


def _paired(reading: dict[str, Floats], view: View, sample: PoseSample) -> tuple[np.ndarray, np.ndarray]:
    """Rows of the reading that are kept and the person each belongs to, -1 for a false find."""
    close = similarity(reading["joints_px"], view)  # [P, M]
    close[view.inside[:, _COCO].sum(1) < 4] = 0
    person, row = linear_sum_assignment(-close)
    good = close[person, row] >= FOUND
    person, row = person[good], row[good]
    stray = (reading["center_score"] > CENTER_FLOOR) & (close.max(0, initial=0) < DUPLICATE)
    stray[row] = False
    if sample.other_people_unlabelled or len(sample.ignore_xyxy):
        stray[:] = False
    false = np.flatnonzero(stray)[:FALSE_PER_FRAME]  # rows come strongest first
    return np.concatenate([row, false]), np.concatenate([person, np.full(len(false), -1)])


def observe_people(stage: CropStage, samples: Sequence[PoseSample], priors: Columns, batch: int = 8) -> Columns:
    """The same people through the deep stage; `priors` as `priors_of` gives them."""
    parts = []
    for start in range(0, len(priors["sample"]), batch):
        rows = slice(start, start + batch)
        some = {name: values[rows] for name, values in priors.items()}
        views = [
            person_view(samples[int(i)], px, stage.size_hw)
            for i, px in zip(some["sample"], some["frame_px"], strict=True)
        ]
        entered = {"prior_px": np.stack([v.window.enter(px) for v, px in zip(views, some["frame_px"], strict=True)])}
        prior = {name: some[name] for name in ("prior_rel_mm", "prior_sigma_mm", "prior_scores")} | entered
        reading = _numpy(_look_again(stage, views, prior))
        for i, view in enumerate(views):
            one = {name: values[i : i + 1] for name, values in reading.items()}
            person = some["person"][i : i + 1].astype(int)
            parts.append(_columns(one, view, samples[int(some["sample"][i])], person, int(some["sample"][i])))
    return joined(parts)


@torch.inference_mode()
def _look_again(stage: CropStage, views: Sequence[View], prior: dict[str, Floats]) -> Reading:
    device = next(stage.parameters()).device

    def put(array: Floats) -> torch.Tensor:
        return torch.from_numpy(np.ascontiguousarray(array)).to(device)

    crops = put(np.stack([view.image_bgr for view in views]))
    names = ("prior_px", "prior_rel_mm", "prior_sigma_mm", "prior_scores")
    return stage.read(crops, Prior(*(put(prior[name].astype(np.float32)) for name in names)))


@torch.inference_mode()
def priors_of(stage: CoarseStage | CropStage, columns: Columns) -> Columns:
    """What a trained stage says of the people in its own readings, in frame pixels: the next stage's priors."""
    table = {name: torch.from_numpy(values) for name, values in columns.items()}
    body = stage.head(reading_of(table), table["intrinsics"].float())
    said = {name: value.numpy() for name, value in outputs(body).items()}
    px = np.stack([Window(*map(float, w)).leave(p) for w, p in zip(columns["window"], said["joints_px"], strict=True)])
    return {
        "frame_px": px,
        "prior_rel_mm": said["joints_rel_mm"],
        "prior_sigma_mm": said["sigma_mm"],
        "prior_scores": said["joint_scores"],
        "sample": columns["sample"],
        "person": columns["person"],
    }


def _numpy(reading: Reading) -> dict[str, Floats]:
    return {name: value.float().cpu().numpy() for name, value in reading._asdict().items()}


def _columns(
    reading: dict[str, Floats], view: View, sample: PoseSample, people: np.ndarray, index: int
) -> Columns:
    """Rows of the table for readings [M] of one view, each of person `people` [M] (-1: of nobody)."""
    count, known = len(people), people >= 0
    window = [view.window.x_px, view.window.y_px, view.window.scale]

    def of(values: Floats) -> Floats:
        empty = np.zeros((count, *values.shape[1:]))
        empty[known] = values[people[known]]
        return empty

    root = sample.joints_mm[:, :1]
    return (
        reading
        | {
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
    )
