"""Stages to and from files: a checkpoint carries what is needed to build its network again."""

from pathlib import Path
from typing import Any

import torch

from posecascade.models.lab.networks.coarse import CoarseStage
from posecascade.models.lab.networks.crop import CropStage
from posecascade.models.lab.networks.former_names import with_present_names
from posecascade.models.records import Stage

CONTRACT = 1
"""Raised whenever a stage's inputs, outputs or their meaning change."""


def build_stage(stage: Stage) -> CoarseStage | CropStage:
    """An untrained network of that stage."""
    return CoarseStage() if stage is Stage.COARSE else CropStage(stage)


def save_stage(module: CoarseStage | CropStage, path: Path, **about: Any) -> None:
    """Writes the weights in half precision, and `about` (recipe, steps, losses) beside them."""
    half = {
        name: value.half() if value.is_floating_point() else value
        for name, value in module.state_dict().items()
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    torch.save(
        {
            "contract": CONTRACT,
            "stage": str(module.stage),
            "weights": half,
            "about": about,
        },
        partial,
    )
    partial.replace(path)


def load_stage(path: Path) -> CoarseStage | CropStage:
    """The stage that `save_stage` wrote, ready for inference.

    Raises:
        ValueError: the file is damaged, of another contract, or of a network that this code no longer builds.
    """
    try:
        saved = torch.load(path, map_location="cpu", weights_only=True)
        stage = Stage(saved["stage"])
        contract = saved["contract"]
    except FileNotFoundError:
        raise ValueError(
            f"{path}: no such checkpoint; train one with `posecascade train`"
        ) from None
    except Exception as error:
        raise ValueError(f"{path} is no checkpoint of a stage: {error}") from error
    if contract != CONTRACT:
        raise ValueError(
            f"{path} is of contract {contract}, this code of {CONTRACT}: train it again"
        )
    module = build_stage(stage)
    weights = {
        name: value.float() if value.is_floating_point() else value
        for name, value in with_present_names(saved["weights"]).items()
    }
    try:
        module.load_state_dict(weights)
    except RuntimeError as error:
        raise ValueError(
            f"{path} does not fit this code's {stage}: train it again ({_first(error)})"
        ) from error
    return module.eval()


def _first(error: RuntimeError) -> str:
    """The first mismatch in torch's message, which lists every weight."""
    return str(error).splitlines()[1].strip()[:120]
