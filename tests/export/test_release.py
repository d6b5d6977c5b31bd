"""From modules to a weights folder that serving accepts, with stand-ins for the stages."""

import copy
import json

import cv2
import pytest

from posecascade.export import release as released
from posecascade.export.manifest import write_manifest
from posecascade.models.cascade.cascade import Cascade
from posecascade.models.errors import ManifestError
from posecascade.models.lab.fitting.calibration import neutral
from posecascade.models.manifest import load_manifest
from posecascade.models.records import Stage
from posecascade.models.runners.samples import load_sample

pytestmark = pytest.mark.slow  # exports three stages, times them and compares them


def test_serving_accepts_the_folder(weights):
    manifest = load_manifest(weights)

    assert manifest.stages[Stage.COARSE].input_sizes_hw[0] == (256, 448)
    assert manifest.stages[Stage.REFINE].input_sizes_hw == ((64, 64),)
    assert set(manifest.stages[Stage.EXPERT].outputs) >= {
        "joints_rel_mm",
        "sigma_mm",
        "score",
    }
    assert all(0 <= spec.parity_mm < 0.5 for spec in manifest.stages.values())


def test_the_cascade_runs_from_the_folder(weights, frames):
    cascade = Cascade.load(weights)
    cascade.warm_up()
    frame = cascade.predict(
        cv2.imread(str(frames[0] / "wide.png")), quality="best", min_score=0
    )

    assert {person.stage for person in frame.people} == {Stage.EXPERT}
    cascade.close()


def test_parity_is_measured_on_people_alone_and_together(weights):
    for found in load_manifest(weights).raw["parity"].values():
        assert found["with_torch"]["people"] > 0
        assert found["largest_batch"] > 1


def test_every_stage_has_a_sample_to_check_a_runtime_with(weights):
    manifest = load_manifest(weights)
    sizes = {
        stage: {len(array) for array in load_sample(manifest.path(stage)).values()}
        for stage in Stage
    }

    assert sizes == {Stage.COARSE: {1}, Stage.REFINE: {2}, Stage.EXPERT: {2}}


def test_nothing_unfinished_is_left_behind(weights):
    assert sorted(path.name for path in weights.iterdir()) == sorted(
        [
            "manifest.json",
            *(f"{stage}{end}" for stage in Stage for end in (".onnx", ".sample.npz")),
        ]
    )


def test_weights_from_other_modules_are_found_out(modules, weights, frames):
    swapped = modules | {Stage.EXPERT: _as_expert(modules[Stage.REFINE])}

    with pytest.raises(
        ManifestError, match=r"expert\.onnx is off by .* mm, 0\.5 allowed"
    ):
        released.check(swapped, weights, frames)


def test_weights_from_the_same_modules_pass(modules, weights, frames):
    assert set(released.check(modules, weights, frames)) == set(Stage)


def test_what_was_fitted_stays_with_the_same_weights_and_goes_with_others(
    modules, weights, frames
):
    raw = json.loads((weights / "manifest.json").read_text())
    fitted = raw | {
        "min_score": 0.42,
        "calibration": neutral() | {"fitted_on": "people"},
    }
    (weights / "manifest.json").write_text(json.dumps(fitted))
    specs, parities = (
        load_manifest(weights).stages,
        released.check(modules, weights, frames),
    )

    write_manifest(weights, specs, parities)
    kept = load_manifest(weights)
    (weights / "manifest.json").write_text(
        json.dumps(
            fitted
            | {
                "stages": raw["stages"]
                | {"expert": raw["stages"]["expert"] | {"sha256": "0" * 64}}
            }
        )
    )
    write_manifest(weights, specs, parities)
    fresh = load_manifest(weights)

    assert (kept.min_score, kept.calibration.fitted_on) == (0.42, "people")
    assert (fresh.min_score, fresh.calibration.fitted_on) == (0.3, "nothing yet")


def _as_expert(module):
    twin = copy.deepcopy(module)
    twin.stage = Stage.EXPERT
    return twin


def test_checkpoints_must_be_of_all_three_stages(tmp_path):
    with pytest.raises(ValueError, match=r"missing\.pt: no such checkpoint"):
        released.load_modules([tmp_path / "missing.pt"])
