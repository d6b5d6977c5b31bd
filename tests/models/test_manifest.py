"""Facts about the manifest and the files it vouches for."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from posecascade.models.errors import ManifestError
from posecascade.models.lab.fitting.calibration import neutral
from posecascade.models.manifest import CONTRACT, WEIGHTS, load_manifest
from posecascade.models.records import Stage


@pytest.fixture
def told(tmp_path: Path) -> dict[str, Any]:
    """What the manifest of a sound folder says; the folder is written too."""

    def spec(stage: Stage) -> dict[str, Any]:
        data = f"network of {stage}".encode()
        (tmp_path / f"{stage}.onnx").write_bytes(data)
        return {
            "file": f"{stage}.onnx",
            "sha256": hashlib.sha256(data).hexdigest(),
            "bytes": len(data),
            "input_sizes_hw": [[64, 64]],
            "outputs": ["score"],
            "params": 1,
            "gmacs": 0.1,
            "cost_ms": 1.0,
            "batch_buckets": [1, 2],
            "licence": "Apache-2.0",
            "origin": "a test",
            "parity_mm": 0.0,
        }

    raw = {
        "name": "posecascade",
        "version": "1",
        "contract": CONTRACT,
        "skeleton": "cascade25",
        "people_slots": 32,
        "min_score": 0.3,
        "stages": {str(stage): spec(stage) for stage in Stage},
        "calibration": neutral(),
    }
    return written(tmp_path, raw)


def written(folder: Path, raw: dict[str, Any]) -> dict[str, Any]:
    (folder / "manifest.json").write_text(json.dumps(raw))
    return raw


def test_a_sound_folder_is_read(tmp_path, told):
    manifest = load_manifest(tmp_path)

    assert set(manifest.stages) == set(Stage)
    assert manifest.stages[Stage.COARSE].input_sizes_hw == ((64, 64),)
    assert manifest.path(Stage.EXPERT).read_bytes() == b"network of expert"
    assert manifest.raw == told


@pytest.mark.parametrize("stage", Stage)
def test_a_file_that_changed_is_named_with_both_hashes(tmp_path, told, stage):
    (tmp_path / f"{stage}.onnx").write_bytes(b"another network")

    with pytest.raises(
        ManifestError,
        match=rf"{stage}.onnx has sha256 \w+\.\.\., manifest.json says \w+",
    ) as caught:
        load_manifest(tmp_path)
    assert told["stages"][stage]["sha256"][:12] in str(caught.value)


def test_a_file_that_is_missing_is_named(tmp_path, told):
    (tmp_path / "refine.onnx").unlink()

    with pytest.raises(
        ManifestError, match=r"refine.onnx is missing, though manifest.json names it"
    ):
        load_manifest(tmp_path)


def test_an_empty_folder_says_how_weights_are_made(tmp_path):
    with pytest.raises(
        ManifestError,
        match=r"manifest.json is missing: weights are made by `posecascade export`",
    ):
        load_manifest(tmp_path)


def test_a_manifest_that_is_not_json_is_named(tmp_path):
    (tmp_path / "manifest.json").write_text("{")

    with pytest.raises(ManifestError, match=r"manifest.json is not JSON"):
        load_manifest(tmp_path)


def test_another_contract_is_refused(tmp_path, told):
    written(tmp_path, told | {"contract": CONTRACT + 1})

    with pytest.raises(
        ManifestError, match=f"of contract {CONTRACT + 1}, this program of {CONTRACT}"
    ):
        load_manifest(tmp_path)


@pytest.mark.parametrize("name", ["skeleton", "min_score", "calibration", "stages"])
def test_what_the_manifest_lacks_is_named(tmp_path, told, name):
    written(tmp_path, {key: value for key, value in told.items() if key != name})

    with (
        pytest.raises(ManifestError, match=rf"manifest.json lacks or garbles '{name}'")
        if name != "stages"
        else (pytest.raises(ManifestError, match="stages"))
    ):
        load_manifest(tmp_path)


def test_a_stage_that_is_lacking_is_named(tmp_path, told):
    del told["stages"]["expert"]
    written(tmp_path, told)

    with pytest.raises(ManifestError, match="expert"):
        load_manifest(tmp_path)


def test_the_digest_of_the_whole_changes_with_any_stage(tmp_path, told):
    before = load_manifest(tmp_path).weights_sha256
    (tmp_path / "coarse.onnx").write_bytes(b"retrained")
    told["stages"]["coarse"]["sha256"] = hashlib.sha256(b"retrained").hexdigest()
    written(tmp_path, told)

    assert load_manifest(tmp_path).weights_sha256 != before


@pytest.mark.skipif(
    not (WEIGHTS / "manifest.json").exists(), reason="no weights in models/weights yet"
)
def test_the_weights_that_ship_are_sound():
    assert load_manifest().skeleton == "cascade25"
