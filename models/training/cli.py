"""`posecascade train RECIPE`: a recipe to a stage's checkpoint."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from models.datasets.errors import DatasetError
from models.datasets.mocap import random_bodies
from models.networks import build_stage, load_stage, save_stage
from models.networks.pretrained import load_movenet
from models.training.fit import Run
from models.training.prepare import Network, photo_names, prepare, rendered_names, store_of
from models.training.recipe import Recipe, load_recipe
from models.training.simulate import Cameras, seeded
from models.training.supply import Earlier, Supply, habits_of


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
    except (ValueError, DatasetError, FileNotFoundError) as error:
        print(f"posecascade train: {error}", file=sys.stderr)
        return 2
    return 0


def train(recipe: Recipe, out: Path, device: torch.device) -> Path:
    """Prepares, fits and saves; every phase goes on where an earlier run stopped. Returns the stage's checkpoint."""
    torch.manual_seed(recipe.seed)
    earlier: list[Network] = [load_stage(path) for path in recipe.after]
    stage = build_stage(recipe.stage)
    stage.network = load_movenet(stage.variant, recipe.pretrained)
    prepare(recipe, stage, earlier, device)
    if earlier:
        stage.head.start_from(earlier[-1].head)
    generator = seeded(recipe.seed, 1)
    run = Run(
        stage.head,
        _supply(recipe, stage, earlier, generator),
        recipe.optimiser,
        recipe.losses,
        out / str(recipe.stage),
        device,
    )
    stage.head = run.fit()
    path = out / f"{recipe.stage}.pt"
    save_stage(stage.cpu(), path, steps=recipe.optimiser.steps, seed=recipe.seed)
    return path


def _supply(recipe: Recipe, stage: Network, earlier: Sequence[Network], generator: torch.Generator) -> Supply:
    bodies = random_bodies(
        recipe.data.synthetic_assets, "train", recipe.data.bodies, np.random.default_rng(recipe.seed)
    )
    tables = [store_of(recipe, one, "rendered").load(rendered_names(recipe)) for one in (*earlier, stage)]
    habits = habits_of(tables, generator)
    photos = store_of(recipe, stage, "photos").load(photo_names(recipe)) if recipe.data.photos is not None else None
    before = [Earlier(one, habit) for one, habit in zip(earlier, habits[:-1], strict=True)]
    return Supply(
        tables[-1],
        photos,
        habits[-1],
        Cameras(torch.from_numpy(bodies), generator),
        before,
        None if not earlier else stage.size_px,
        recipe.optimiser,
        generator,
    )
