"""Stages read back from the files that ship."""

import pytest

pytest.importorskip("torch", reason="needs the extra `train`")

from posecascade.export.parity import TOLERANCE_MM
from posecascade.models.lab.networks.restored import restore_stage
from posecascade.models.lab.networks.torch_runner import TorchRunner
from posecascade.models.manifest import WEIGHTS, load_manifest
from posecascade.models.records import Stage
from posecascade.models.runners import load_runner
from posecascade.models.runners.parity import agreement
from posecascade.models.runners.samples import load_sample


@pytest.mark.parametrize("stage", Stage)
def test_a_restored_stage_agrees_with_its_file(stage):
    path = WEIGHTS / f"{stage}.onnx"
    sample = load_sample(path)
    want = load_runner(stage, path).run(sample)
    got = TorchRunner(restore_stage(stage, path)).run(sample)
    found = agreement(want, got, min_score=load_manifest().min_score)

    assert found.people > 0
    assert found.joints_mm < TOLERANCE_MM
    assert found.joints_px < 0.1


def test_a_file_of_another_stage_is_refused_with_what_it_lacks():
    with pytest.raises(
        ValueError,
        match=r"coarse\.onnx is no export of expert: it lacks head\.coarse_lifter",
    ):
        restore_stage(Stage.EXPERT, WEIGHTS / "coarse.onnx")
