"""`make train-smoke` goes through rendering, distillation, reading, fitting, export and evaluation."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
NEEDS = (
    ROOT / "../shared/synth/assets",
    ROOT / "../shared/data/train_coco_mini",
    ROOT / ".venv/bin/posecascade",
)


@pytest.mark.slow  # minutes
@pytest.mark.skipif(
    not all(path.exists() for path in NEEDS),
    reason="needs ../shared and the venv of `make install`",
)
@pytest.mark.skipif(shutil.which("make") is None, reason="needs make")
def test_every_phase_of_training_runs_to_the_end():
    done = subprocess.run(
        ["make", "train-smoke"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    out = ROOT / "out/smoke"
    manifest = json.loads((out / "weights/manifest.json").read_text())
    assert set(manifest["stages"]) == {"coarse", "refine", "expert"}
    assert all(stage["parity_mm"] <= 0.5 for stage in manifest["stages"].values())
    for stage in manifest["stages"]:
        assert "<td>head<td>" in (out / stage / "log.html").read_text()
        assert (out / stage / "examples.jpg").stat().st_size > 5000
    assert "routed" in next((out / "eval").glob("*.md")).read_text()
