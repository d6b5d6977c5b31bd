"""Checkpoints: what is written is read, what does not fit is refused by name."""

from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="needs the extra `train`")

from posecascade.models.lab.networks import build_stage, load_stage, save_stage  # noqa: E402  (after the skip)
from posecascade.models.records import Stage  # noqa: E402


def test_what_is_saved_is_what_is_loaded(tmp_path: Path):
    stage = build_stage(Stage.REFINE)
    save_stage(stage, tmp_path / "refine.pt", steps=3)
    loaded = load_stage(tmp_path / "refine.pt")

    assert loaded.stage is Stage.REFINE
    assert not loaded.training
    for name, value in stage.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], value.half().float()), name


def test_a_network_that_is_built_no_longer_is_refused_in_one_line(tmp_path: Path):
    path = tmp_path / "refine.pt"
    save_stage(build_stage(Stage.REFINE), path)
    saved = torch.load(path, weights_only=True)
    saved["weights"]["head.lean.layers.0.weight"] = torch.zeros(128, 68)
    torch.save(saved, path)

    with pytest.raises(
        ValueError, match="does not fit this code's refine: train it again"
    ) as refused:
        load_stage(path)
    assert "\n" not in str(refused.value)


def test_another_file_is_no_checkpoint(tmp_path: Path):
    (tmp_path / "notes.pt").write_text("no weights here")
    with pytest.raises(ValueError, match=r"notes\.pt is no checkpoint"):
        load_stage(tmp_path / "notes.pt")
    with pytest.raises(ValueError, match="no such checkpoint"):
        load_stage(tmp_path / "absent.pt")
