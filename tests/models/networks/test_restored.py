"""Stages read back from the files that ship."""

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs the extra `train`")

from models.manifest import WEIGHTS
from models.networks.restored import restore_stage
from models.networks.torch_runner import TorchRunner
from models.records import Stage
from models.runners import load_runner
from models.runners.samples import load_sample


@pytest.mark.parametrize("stage", Stage)
def test_a_restored_stage_says_what_its_file_says(stage):
    path = WEIGHTS / f"{stage}.onnx"
    sample = load_sample(path)
    want, got = load_runner(stage, path).run(sample), TorchRunner(restore_stage(stage, path)).run(sample)

    people = want["score"] > 0.1
    assert people.any()
    np.testing.assert_allclose(got["joints_rel_mm"][people], want["joints_rel_mm"][people], atol=0.1)
    np.testing.assert_allclose(got["joints_px"][people], want["joints_px"][people], atol=0.1)


def test_a_file_of_another_stage_is_refused_with_what_it_lacks():
    with pytest.raises(ValueError, match=r"coarse\.onnx is no export of expert: it lacks head\.elder"):
        restore_stage(Stage.EXPERT, WEIGHTS / "coarse.onnx")

