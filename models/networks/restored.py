"""A stage as a torch module again, from the ONNX file that it was exported to."""

from pathlib import Path

import onnx

from models.networks.checkpoint import build_stage
from models.networks.coarse import CoarseStage
from models.networks.crop import CropStage
from models.networks.pretrained import named_weights
from models.records import Stage

_CONSTANT = {"head.is_read", "head.stand_in"}
"""Made by the code, so the exporter may have folded them away."""


def restore_stage(stage: Stage, path: Path) -> CoarseStage | CropStage:
    """The stage whose weights, rounded to half precision, are in the ONNX file at `path`; ready for inference.

    Raises:
        ValueError: the file is no export of that stage by this version.
    """
    module = build_stage(stage)
    weights = named_weights(onnx.load(path).graph, "")
    wanted = set(module.state_dict())
    lacking = sorted(wanted - set(weights) - _CONSTANT)
    if lacking:
        raise ValueError(f"{path} is no export of {stage}: it lacks {', '.join(lacking[:3])}")
    module.load_state_dict({name: weights[name] for name in wanted & set(weights)}, strict=False)
    return module.eval()
