"""A training process killed outright goes on where its last checkpoint was, without a jump in the loss."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="needs the extra `train`")

STEPS = 200
SCRIPT = """
import os, signal, sys
from pathlib import Path
import torch
from posecascade.models.lab.training.trainer import Run
from posecascade.models.lab.training.recipe import Optimiser

folder, killed_at = Path(sys.argv[1]), int(sys.argv[2])
torch.manual_seed(0)
chance = torch.Generator().manual_seed(1)
drawn = 0

def terms(module):
    global drawn
    drawn += 1
    if drawn == killed_at:
        os.kill(os.getpid(), signal.SIGKILL)
    x = torch.randn(64, 8, generator=chance)
    return {"total": (module(x)[:, 0] - x.sum(1)).square().mean()}

schedule = Optimiser(steps=200, learning_rate=3e-2, warm_up=5, checkpoint_every=40)
trained = Run(torch.nn.Linear(8, 1), terms, chance, schedule, folder, torch.device("cpu")).fit()
torch.save(trained.state_dict(), folder / "trained.pt")
"""


def train(folder: Path, killed_at: int = 0) -> int:
    command = [sys.executable, "-c", SCRIPT, str(folder), str(killed_at)]
    return subprocess.run(
        command, check=False, capture_output=True, timeout=120
    ).returncode


def losses(folder: Path) -> dict[int, float]:
    lines = map(json.loads, (folder / "log.jsonl").read_text().splitlines())
    return {
        line["step"]: line["total"] for line in lines
    }  # of a step logged twice the last counts


@pytest.mark.slow  # starts three processes that import torch
def test_a_killed_process_goes_on_from_its_checkpoint(tmp_path):
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    whole.mkdir()
    cut.mkdir()
    assert train(whole) == 0
    assert train(cut, killed_at=130) == -signal.SIGKILL
    assert not (cut / "trained.pt").exists()
    assert train(cut) == 0
    assert losses(cut) == losses(whole)
    assert (cut / "trained.pt").read_bytes() == (whole / "trained.pt").read_bytes()
    assert losses(whole)[STEPS] < losses(whole)[50]
