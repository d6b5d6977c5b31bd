"""`posecascade train RECIPE`: a recipe to a stage's checkpoint."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import cast

import numpy as np
import torch

from models.arrays import Image
from models.datasets import backgrounds, coco_mini
from models.datasets.errors import DatasetError
from models.datasets.mocap import random_bodies
from models.errors import ModelError
from models.networks import build_stage, load_stage, save_stage
from models.networks.coarse import CoarseStage
from models.networks.crop import UPRIGHT_VARIANT
from models.networks.movenet import MoveNet
from models.networks.pretrained import load_blazepose, load_movenet
from models.training.distil import distillation
from models.training.examples import frames_seen, people_seen
from models.training.fit import Run
from models.training.page import write_page
from models.training.pictures import Pictures
from models.training.prepare import Network, frame_path, observe, photo_names, render_frames, rendered_names, store_of
from models.training.recipe import Distil, Recipe, load_recipe
from models.training.rendered import read_shard
from models.training.simulate import Cameras, seeded
from models.training.supply import Earlier, Supply, Table, habits_of, head_terms
from models.training.survivors import Gate, chances


def main(argv: Sequence[str] | None = None) -> int:
    """Trains the stage of a recipe; 0 done, 2 something in the recipe is wrong (one line says what)."""
    parser = argparse.ArgumentParser(prog="posecascade train", description="Train one stage of the cascade.")
    parser.add_argument("recipe", type=Path, help="a TOML file, e.g. models/training/recipes/coarse.toml")
    parser.add_argument(
        "--out", type=Path, default=Path("runs"), help="folder for checkpoints and logs (default: runs)"
    )
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    args = parser.parse_args(argv)
    try:
        print(train(load_recipe(args.recipe), args.out, torch.device(args.device)))
    except (ValueError, DatasetError, ModelError, FileNotFoundError) as error:
        print(f"posecascade train: {error}", file=sys.stderr)
        return 2
    return 0


def train(recipe: Recipe, out: Path, device: torch.device) -> Path:
    """Prepares, fits and saves; every phase goes on where an earlier run stopped. Returns the stage's checkpoint."""
    torch.manual_seed(recipe.seed)
    earlier: list[Network] = [load_stage(path) for path in recipe.after]
    stage = build_stage(recipe.stage)
    stage.network = load_movenet(stage.variant, recipe.pretrained)
    if not isinstance(stage, CoarseStage):
        if recipe.pretrained_upright is None:
            raise ValueError(f"the recipe of {stage.stage} must name pretrained_upright, BlazePose's ONNX file")
        stage.upright.network = load_blazepose(UPRIGHT_VARIANT[stage.stage], recipe.pretrained_upright)
    folder = out / str(recipe.stage)
    render_frames(recipe, device)
    if recipe.distil is not None:
        stage.network = _taught(recipe, recipe.distil, stage.network, folder / "picture", device)
    observe(recipe, stage, earlier, device)
    started = load_stage(recipe.start) if recipe.start is not None else earlier[-1] if earlier else None
    if started is not None:
        stage.head.start_from(started.head)
    generator = seeded(recipe.seed, 1)
    terms = head_terms(_supply(recipe, stage, earlier, generator), recipe.losses, device)
    stage.head = Run(stage.head, terms, generator, recipe.optimiser, folder / "head", device).fit()
    path = out / f"{recipe.stage}.pt"
    save_stage(stage.cpu(), path, steps=recipe.optimiser.steps, seed=recipe.seed)
    write_page(folder, _examples(recipe, stage, earlier))
    return path


def _examples(recipe: Recipe, stage: Network, earlier: Sequence[Network]) -> Image:
    name = rendered_names(recipe)[0]
    rendered = read_shard(frame_path(recipe, name))
    if isinstance(stage, CoarseStage):
        photos = [] if recipe.data.photos is None else list(coco_mini.training_samples(recipe.data.photos))
        return frames_seen(stage, [*rendered, *photos[:4]])
    first = next(one for one in earlier if isinstance(one, CoarseStage))
    return people_seen(stage, rendered, store_of(recipe, first, "rendered").read(name), first)


def _taught(recipe: Recipe, how: Distil, student: MoveNet, folder: Path, device: torch.device) -> MoveNet:
    """The student after its lessons."""
    generator = seeded(recipe.seed, 5)
    shards, data = rendered_names(recipe), recipe.data
    pictures = Pictures(
        lambda index: read_shard(frame_path(recipe, shards[index])),
        len(shards),
        [] if data.photos is None else list(coco_mini.training_samples(data.photos)),
        list(backgrounds.training_samples(data.backgrounds)),
        how.batch,
        generator,
    )
    teacher = load_movenet(how.teacher_variant, how.teacher).to(device, memory_format=torch.channels_last)
    terms = distillation(teacher, lambda: pictures().to(device))
    taught = Run(student.to(memory_format=torch.channels_last), terms, generator, how, folder, device).fit()
    return cast(MoveNet, taught.requires_grad_(False))


def _supply(recipe: Recipe, stage: Network, earlier: Sequence[Network], generator: torch.Generator) -> Supply:
    bodies = random_bodies(
        recipe.data.synthetic_assets, "train", recipe.data.bodies, np.random.default_rng(recipe.seed)
    )
    tables = [store_of(recipe, one, "rendered").load(rendered_names(recipe)) for one in (*earlier, stage)]
    habits = habits_of(tables, generator)
    photos = store_of(recipe, stage, "photos").load(photo_names(recipe)) if recipe.data.photos is not None else None
    gate = _gate(recipe, earlier)
    if gate is not None:
        tables[-1] |= _chance(recipe, gate, "rendered", rendered_names(recipe), tables[-1])
        if photos is not None:
            photos |= _chance(recipe, gate, "photos", photo_names(recipe), photos)
    before = [Earlier(one, habit) for one, habit in zip(earlier, habits[:-1], strict=True)]
    return Supply(
        tables[-1],
        photos,
        habits[-1],
        Cameras(torch.from_numpy(bodies), generator),
        before,
        None if not earlier else stage.size_hw,
        recipe.optimiser,
        generator,
        gate,
    )


def _gate(recipe: Recipe, earlier: Sequence[Network]) -> Gate | None:
    if recipe.survivors is None:
        return None
    if not earlier or not isinstance(earlier[0], CoarseStage):
        raise ValueError("survivors: only a stage after `coarse` has some; name coarse's checkpoint first in `after`")
    return Gate.of(recipe.survivors, earlier[0])


def _chance(recipe: Recipe, gate: Gate, kind: str, names: Sequence[str], table: Table) -> Table:
    """The column that says how often each row of a stage's readings is drawn."""
    sent = gate.sends_of(store_of(recipe, gate.coarse, kind), names)
    return {"chance": chances(sent, table["is_person"], gate.floor)}
