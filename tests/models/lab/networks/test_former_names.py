"""Files that were written before a rename of submodules stay readable."""

from pathlib import Path

import onnx
import pytest

torch = pytest.importorskip("torch", reason="needs the extra `train`")

from posecascade.models.lab.networks import build_stage, load_stage, save_stage  # noqa: E402  (after the skip)
from posecascade.models.lab.networks.former_names import (  # noqa: E402
    FORMER_NAMES,
    present_name,
    with_present_names,
)
from posecascade.models.lab.networks.pretrained import named_weights  # noqa: E402
from posecascade.models.manifest import WEIGHTS  # noqa: E402
from posecascade.models.records import Stage  # noqa: E402

FORMER = {present: former for former, present in FORMER_NAMES.items()}
HEAD_PARTS = {"input_layer", "output_layer", "linear_skip", "coarse_lifter"}
HEAD_PARTS |= {"substitutes", "is_coco"}


def former_name(name: str) -> str:
    """A weight's name before the rename."""
    first, *parts = name.split(".")
    if first == "head":
        parts = [FORMER[part] if part in HEAD_PARTS else part for part in parts]
    elif name.startswith("upright.network.depthwise"):
        parts[1] = FORMER["depthwise"]
    elif name.startswith("upright.network.landmarks"):
        parts[1] = FORMER["landmarks"]
    return ".".join([first, *parts])


def test_names_of_the_head_and_of_blazepose_are_translated():
    assert (
        present_name("head.elder.enter.bias") == "head.coarse_lifter.input_layer.bias"
    )
    assert present_name("head.straight.weight") == "head.linear_skip.weight"
    assert (
        present_name("upright.network.look.1.bias")
        == "upright.network.depthwise.1.bias"
    )


@pytest.mark.parametrize("stage", Stage)
def test_no_present_name_is_a_former_one(stage):
    weights = build_stage(stage).state_dict()
    assert list(with_present_names(weights)) == list(weights)


@pytest.mark.parametrize("stage", Stage)
def test_a_checkpoint_from_before_the_rename_is_loaded(stage, tmp_path: Path):
    path = tmp_path / f"{stage}.pt"
    module = build_stage(stage)
    save_stage(module, path)
    saved = torch.load(path, weights_only=True)
    present = set(saved["weights"])
    saved["weights"] = {former_name(k): v for k, v in saved["weights"].items()}
    assert set(saved["weights"]) != present
    torch.save(saved, path)

    loaded = load_stage(path).state_dict()
    for name, value in module.state_dict().items():
        assert torch.equal(loaded[name], value.half().float()), name


@pytest.mark.parametrize("stage", Stage)
def test_every_weight_of_a_shipped_file_that_is_named_has_its_place(stage):
    graph = onnx.load(WEIGHTS / f"{stage}.onnx").graph
    shapes = {k: v.shape for k, v in build_stage(stage).state_dict().items()}
    for part in ("head.", "network.", "upright.network."):
        for name, value in named_weights(graph, part).items():
            assert shapes[part + name] == value.shape, name
