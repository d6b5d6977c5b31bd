"""Preparation of a fit: frames are rendered, read and matched with the truth, once, shard by shard.

Each shard is written whole or not at all, so a killed run goes on where it stopped.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from posecascade.models.lab.datasets import augment, coco_mini
from posecascade.models.lab.datasets.sample import PoseSample
from posecascade.models.lab.networks.coarse import CoarseStage
from posecascade.models.lab.networks.crop import CropStage
from posecascade.models.lab.rendering import SyntheticPeople
from posecascade.models.lab.training.observe import (
    observe_frames,
    observe_people,
    priors_of,
)
from posecascade.models.lab.training.readings import Columns, ReadingStore
from posecascade.models.lab.training.recipe import Recipe
from posecascade.models.lab.training.rendered import read_shard, write_shard

SHARD = 8
"""Frames in a shard."""

Network = CoarseStage | CropStage


def observe(
    recipe: Recipe, stage: Network, earlier: Sequence[Network], device: torch.device
) -> None:
    """Fills the recipe's cache with what `stage` reads of the rendered frames and of the photos."""
    stage.to(device).eval()
    rendered = rendered_names(recipe)
    views = photo_names(recipe)
    _observe(
        recipe,
        stage,
        earlier,
        "rendered",
        rendered,
        lambda i: read_shard(frame_path(recipe, rendered[i])),
    )
    if recipe.data.photos is not None:
        photos = list(coco_mini.training_samples(recipe.data.photos))
        _observe(
            recipe,
            stage,
            earlier,
            "photos",
            views,
            lambda i: _varied(photos, recipe.picture_seed, i),
        )


def rendered_names(recipe: Recipe) -> list[str]:
    """The shards of rendered frames."""
    return [
        f"train_{recipe.picture_seed}_{index:05d}"
        for index in range(recipe.data.frames // SHARD)
    ]


def photo_names(recipe: Recipe) -> list[str]:
    """The rounds through the photos."""
    return [
        f"view_{recipe.picture_seed}_{index:04d}"
        for index in range(recipe.data.photo_views)
    ]


def render_frames(recipe: Recipe, device: torch.device) -> None:
    """Renders the shards that are missing."""
    names = rendered_names(recipe)
    missing = [
        index
        for index, name in enumerate(names)
        if not frame_path(recipe, name).exists()
    ]
    if not missing:
        return
    source = SyntheticPeople(
        recipe.data.synthetic_assets,
        "train",
        recipe.data.size_px,
        recipe.data.backgrounds,
        device=str(device),
    )
    for index in tqdm(missing, desc="render", unit="shard"):
        batches = source.batches(
            len(names) * SHARD,
            recipe.picture_seed,
            SHARD,
            worker=index,
            workers=len(names),
        )
        images, truth = next(iter(batches))
        columns = {
            name: np.asarray(torch.as_tensor(values).cpu())
            for name, values in truth.items()
        }
        write_shard(frame_path(recipe, names[index]), images.cpu().numpy(), columns)


def frame_path(recipe: Recipe, name: str) -> Path:
    return recipe.data.cache / "frames" / f"{name}.npz"


def store_of(recipe: Recipe, stage: Network, kind: str) -> ReadingStore:
    """Where a stage's readings of `rendered` frames or of `photos` are kept."""
    return ReadingStore(recipe.data.cache / "readings" / f"{stage.stage}_{kind}")


def _observe(
    recipe: Recipe,
    stage: Network,
    earlier: Sequence[Network],
    kind: str,
    names: Sequence[str],
    samples_of: Callable[[int], Sequence[PoseSample]],
) -> None:
    store = store_of(recipe, stage, kind)
    missing = [index for index, name in enumerate(names) if not store.has(name)]
    for index in tqdm(missing, desc=f"{stage.stage} reads {kind}", unit="shard"):
        rng = np.random.default_rng([recipe.picture_seed, 2, index])
        samples = samples_of(index)
        if isinstance(stage, CoarseStage):
            store.write(names[index], observe_frames(stage, samples, rng))
        else:
            priors = _priors(recipe, earlier, kind, names[index], rng)
            store.write(names[index], observe_people(stage, samples, priors))


def _priors(
    recipe: Recipe,
    earlier: Sequence[Network],
    kind: str,
    name: str,
    rng: np.random.Generator,
) -> Columns:
    """For each person the prediction of one of the earlier stages, at random: a stage may be skipped."""
    priors = [
        priors_of(stage, store_of(recipe, stage, kind).read(name)) for stage in earlier
    ]
    count = len(priors[0]["sample"])
    pick = rng.integers(len(priors), size=count)
    rows = np.arange(count)
    mixed: Columns = {}
    for column in priors[0]:
        by_stage = np.stack([one[column] for one in priors])
        mixed[column] = by_stage[pick, rows]
    return mixed


def _varied(photos: Sequence[PoseSample], seed: int, index: int) -> list[PoseSample]:
    rng = np.random.default_rng([seed, 3, index])
    return [
        augment.photometric(augment.maybe_flipped(photo, rng), rng) for photo in photos
    ]
