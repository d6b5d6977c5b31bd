"""A stage as a torch module, restored from the ONNX file that it was exported to."""

from pathlib import Path

import onnx

from posecascade.models.lab.networks.checkpoint import build_stage
from posecascade.models.lab.networks.coarse import CoarseStage
from posecascade.models.lab.networks.crop import CropStage
from posecascade.models.lab.networks.pretrained import named_weights
from posecascade.models.records import Stage

_CONSTANT = {"head.is_coco", "head.substitutes"}
"""Buffers that the code makes; the exporter may have folded them away."""


def restore_stage(stage: Stage, path: Path) -> CoarseStage | CropStage:
    """The stage whose weights, rounded to half precision, are in the ONNX file at `path`; ready for inference.

    Raises:
        ValueError: the file is no export of that stage by this version.
    """
    module = build_stage(stage)
    weights = named_weights(onnx.load(path).graph, "")
    wanted = set(module.state_dict())
    missing = sorted(wanted - set(weights) - _CONSTANT)
    if missing:
        raise ValueError(
            f"{path} is no export of {stage}: it lacks {', '.join(missing[:3])}"
        )
    module.load_state_dict(
        {name: weights[name] for name in wanted & set(weights)}, strict=False
    )
    return module.eval()
