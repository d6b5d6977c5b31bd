"""The training of one stage by a recipe: pictures are rendered and read, then the head is fitted and saved."""

from collections.abc import Sequence
from pathlib import Path
from typing import cast

import numpy as np
import torch

from posecascade.models.arrays import Image
from posecascade.models.lab.datasets import backgrounds, coco_mini
from posecascade.models.lab.datasets.mocap import random_bodies
from posecascade.models.lab.networks import build_stage, load_stage, save_stage
from posecascade.models.lab.networks.coarse import CoarseStage
from posecascade.models.lab.networks.crop import UPRIGHT_VARIANT
from posecascade.models.lab.networks.lifter import BodyHead
from posecascade.models.lab.networks.movenet import MoveNet
from posecascade.models.lab.networks.pretrained import load_blazepose, load_movenet
from posecascade.models.lab.training.distil import distillation
from posecascade.models.lab.training.examples import frames_seen, people_seen
from posecascade.models.lab.training.page import write_page
from posecascade.models.lab.training.pictures import Pictures
from posecascade.models.lab.training.prepare import (
    Network,
    frame_path,
    observe,
    photo_names,
    render_frames,
    rendered_names,
    store_of,
)
from posecascade.models.lab.training.recipe import Distil, Recipe
from posecascade.models.lab.training.rendered import read_shard
from posecascade.models.lab.training.simulate import Cameras, seeded
from posecascade.models.lab.training.supply import (
    Earlier,
    Supply,
    Table,
    habits_of,
    head_terms,
)
from posecascade.models.lab.training.survivors import Gate, chances
from posecascade.models.lab.training.trainer import Run


def train(recipe: Recipe, out: Path, device: torch.device) -> Path:
    """Prepares, fits and saves; every phase goes on where an earlier run stopped. Returns the stage's checkpoint."""
    torch.manual_seed(recipe.seed)
    earlier: list[Network] = [load_stage(path) for path in recipe.after]
    stage = _pretrained_stage(recipe)
    folder = out / str(recipe.stage)
    render_frames(recipe, device)
    if recipe.distil is not None:
        stage.network = _distilled(
            recipe, recipe.distil, stage.network, folder / "picture", device
        )
    observe(recipe, stage, earlier, device)
    initial = _initial_head(recipe, earlier)
    if initial is not None:
        stage.head.start_from(initial)
    generator = seeded(recipe.seed, 1)
    supply = _supply(recipe, stage, earlier, generator)
    run = Run(
        module=stage.head,
        terms=head_terms(supply, recipe.losses, device),
        chance=generator,
        schedule=recipe.optimiser,
        folder=folder / "head",
        device=device,
    )
    stage.head = cast(BodyHead, run.fit())
    path = out / f"{recipe.stage}.pt"
    save_stage(stage.cpu(), path, steps=recipe.optimiser.steps, seed=recipe.seed)
    write_page(folder, _examples(recipe, stage, earlier))
    return path


def _pretrained_stage(recipe: Recipe) -> Network:
    """The stage with the published picture networks and an untrained head."""
    stage = build_stage(recipe.stage)
    stage.network = load_movenet(stage.variant, recipe.pretrained)
    if isinstance(stage, CoarseStage):
        return stage
    if recipe.pretrained_upright is None:
        raise ValueError(
            f"the recipe of {stage.stage} must name pretrained_upright, BlazePose's ONNX file"
        )
    stage.upright.network = load_blazepose(
        UPRIGHT_VARIANT[stage.stage], recipe.pretrained_upright
    )
    return stage


def _initial_head(recipe: Recipe, earlier: Sequence[Network]) -> BodyHead | None:
    """The head that the fit starts from; None: an untrained one."""
    if recipe.start is not None:
        return load_stage(recipe.start).head
    return earlier[-1].head if earlier else None


def _examples(recipe: Recipe, stage: Network, earlier: Sequence[Network]) -> Image:
    name = rendered_names(recipe)[0]
    rendered = read_shard(frame_path(recipe, name))
    if isinstance(stage, CoarseStage):
        folder = recipe.data.photos
        photos = [] if folder is None else list(coco_mini.training_samples(folder))
        return frames_seen(stage, [*rendered, *photos[:4]])
    first = next(one for one in earlier if isinstance(one, CoarseStage))
    columns = store_of(recipe, first, "rendered").read(name)
    return people_seen(stage, rendered, columns, first)


def _distilled(
    recipe: Recipe, distil: Distil, student: MoveNet, folder: Path, device: torch.device
) -> MoveNet:
    """The student after distillation from its teacher."""
    generator = seeded(recipe.seed, 5)
    shards = rendered_names(recipe)
    data = recipe.data
    photos = (
        [] if data.photos is None else list(coco_mini.training_samples(data.photos))
    )
    pictures = Pictures(
        rendered=lambda index: read_shard(frame_path(recipe, shards[index])),
        shards=len(shards),
        photos=photos,
        empty=list(backgrounds.training_samples(data.backgrounds)),
        batch=distil.batch,
        chance=generator,
    )
    teacher = load_movenet(distil.teacher_variant, distil.teacher).to(device)
    _channels_last(teacher)
    _channels_last(student)
    run = Run(
        module=student,
        terms=distillation(teacher, lambda: pictures().to(device)),
        chance=generator,
        schedule=distil,
        folder=folder,
        device=device,
    )
    return cast(MoveNet, run.fit().requires_grad_(False))


def _channels_last(network: MoveNet) -> None:
    """The memory layout in which convolutions are fastest, in place."""
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # lacks in torch's stubs


def _supply(
    recipe: Recipe,
    stage: Network,
    earlier: Sequence[Network],
    generator: torch.Generator,
) -> Supply:
    bodies = random_bodies(
        recipe.data.synthetic_assets,
        "train",
        recipe.data.bodies,
        np.random.default_rng(recipe.seed),
    )
    names = rendered_names(recipe)
    tables = [
        store_of(recipe, one, "rendered").load(names) for one in (*earlier, stage)
    ]
    habits = habits_of(tables, generator)
    photos = (
        store_of(recipe, stage, "photos").load(photo_names(recipe))
        if recipe.data.photos is not None
        else None
    )
    gate = _gate(recipe, earlier)
    if gate is not None:
        tables[-1] |= _chance(recipe, gate, "rendered", names, tables[-1])
        if photos is not None:
            photos |= _chance(recipe, gate, "photos", photo_names(recipe), photos)
    before = [
        Earlier(one, habit) for one, habit in zip(earlier, habits[:-1], strict=True)
    ]
    return Supply(
        rendered=tables[-1],
        photos=photos,
        habits=habits[-1],
        cameras=Cameras(torch.from_numpy(bodies), generator),
        earlier=before,
        size_hw=None if isinstance(stage, CoarseStage) else stage.size_hw,
        optimiser=recipe.optimiser,
        generator=generator,
        gate=gate,
    )


def _gate(recipe: Recipe, earlier: Sequence[Network]) -> Gate | None:
    if recipe.survivors is None:
        return None
    if not earlier or not isinstance(earlier[0], CoarseStage):
        raise ValueError(
            "survivors: only a stage after `coarse` has some; name coarse's checkpoint first in `after`"
        )
    return Gate.of(recipe.survivors, earlier[0])


def _chance(
    recipe: Recipe, gate: Gate, kind: str, names: Sequence[str], table: Table
) -> Table:
    """The column that says how often each row of a stage's readings is drawn."""
    sent = gate.sends_of(store_of(recipe, gate.coarse, kind), names)
    return {"chance": chances(sent, table["is_person"], gate.floor)}
