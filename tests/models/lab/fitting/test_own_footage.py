"""Facts about calibrating on footage that nobody labelled."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from posecascade.models.calibration import Calibration
from posecascade.models.cascade.cascade import Cascade
from posecascade.models.lab.fitting.calibration import neutral
from posecascade.models.lab.fitting.operating_points import BOUND_MM
from posecascade.models.lab.fitting.own_footage import (
    least_promise_mm,
    main,
    recalibrated,
)
from posecascade.models.lab.fitting.policies import fit_policies
from posecascade.models.manifest import load_manifest
from posecascade.models.records import Stage
from tests.models.folders import write_weights
from tests.models.lab.evaluation.stages import cascade_of, scene
from tests.models.lab.fitting.people import COST_MS, people


@pytest.fixture(scope="module")
def shipped() -> dict[str, Any]:
    return neutral() | {
        "policies": fit_policies([people(100)], COST_MS),
        "fitted_on": "others",
    }


@pytest.fixture(scope="module")
def refitted(shipped: dict[str, Any]) -> dict[str, Any]:
    return recalibrated(
        shipped, people(200, seed=4), COST_MS, footage="a yard", refit=True
    )


def test_promises_are_made_anew_and_all_else_stays(shipped):
    made = recalibrated(shipped, people(300, seed=4), COST_MS, footage="a yard")
    read = Calibration.read(json.loads(json.dumps(made)))

    assert read.guarantee is not None
    assert (read.guarantee.people, read.guarantee.units) == (300, 150)
    assert read.guarantee.loss_bound_mm == BOUND_MM
    assert len(read.operating_points) > 5
    assert made["fitted_on"] == "others; promises and balanced price: a yard"
    assert all(
        made[name] == shipped[name]
        for name in ("policies", "sigma_scale", "score", "balanced_budget_ms")
    )


def test_labels_are_not_looked_at(shipped, refitted):
    table = people(200, seed=4)
    blank = np.full(table.errors_mm.shape, np.nan)
    nobody = replace(
        table,
        person=np.full(200, -1),
        errors_mm=blank,
        errors_2d=blank,
        limb_error_mm=blank[..., 0],
        error_2d=blank[..., 0],
        difficulty=np.full(200, np.nan),
        right=np.zeros((200, 4), bool),
    )

    assert (
        recalibrated(shipped, nobody, COST_MS, footage="a yard", refit=True) == refitted
    )


def test_policies_are_fitted_on_one_half_and_promised_on_the_other(shipped, refitted):
    assert refitted["policies"] != shipped["policies"]
    assert refitted["promised"]["units"] == 50
    assert refitted["fitted_on"].startswith("others; policies, promises")


def test_footage_without_people_or_of_one_moment_is_refused(shipped):
    with pytest.raises(ValueError, match="found nobody"):
        recalibrated(shipped, people(4).of(np.zeros(0, np.intp)), COST_MS, footage="x")
    with pytest.raises(ValueError, match="two pictures or moments"):
        recalibrated(shipped, people(4, a_frame=4), COST_MS, footage="x", refit=True)


def test_less_is_promised_of_more_footage():
    assert least_promise_mm(20) > least_promise_mm(200) > 0
    assert least_promise_mm(0) == pytest.approx(BOUND_MM)


@pytest.fixture
def weights(tmp_path: Path, shipped: dict[str, Any]) -> Path:
    (tmp_path / "shipped").mkdir()
    return write_weights(tmp_path / "shipped", shipped, COST_MS)


@pytest.fixture
def load(tmp_path: Path):
    def loaded(*_: object, **__: object) -> Cascade:
        return cascade_of(scene(tmp_path / "told", [2, 1, 3]))

    return loaded


@pytest.fixture
def footage(tmp_path: Path) -> Path:
    """Pictures of a scene, without its labels."""
    scene(tmp_path / "labelled", [2, 1, 3])
    (tmp_path / "photos").mkdir()
    for number in range(3):
        shutil.copy(tmp_path / "labelled" / f"{number}.png", tmp_path / "photos")
    return tmp_path / "photos"


def test_the_command_writes_weights_that_can_be_served(
    footage, weights, tmp_path, load, capsys
):
    out = tmp_path / "mine"
    status = main(
        [
            str(footage),
            "--weights",
            str(weights),
            "--out",
            str(out),
            "--name",
            "a yard",
        ],
        load=load,
    )
    made = load_manifest(out)
    before = load_manifest(weights)

    assert status == 0
    assert made.weights_sha256 == before.weights_sha256
    assert (
        made.path(Stage.EXPERT).read_bytes() == before.path(Stage.EXPERT).read_bytes()
    )
    assert made.calibration.guarantee is not None
    assert (made.calibration.guarantee.people, made.calibration.guarantee.units) == (
        6,
        3,
    )
    assert made.calibration.fitted_on.endswith("a yard")
    assert "6 people in 3 pictures or moments" in capsys.readouterr().out


def test_what_cannot_be_done_is_said_in_one_line(
    footage, weights, tmp_path, load, capsys
):
    (tmp_path / "empty").mkdir()
    requested = {
        "is there already": [str(footage), "--out", str(tmp_path)],
        "no pictures or videos in it": [
            str(tmp_path / "empty"),
            "--out",
            str(tmp_path / "new"),
        ],
        "no such file or folder": [
            str(tmp_path / "none"),
            "--out",
            str(tmp_path / "new"),
        ],
        "--frames must be 1 or more": [
            str(footage),
            "--frames",
            "0",
            "--out",
            str(tmp_path / "new"),
        ],
    }
    for reported, argv in requested.items():
        assert main([*argv, "--weights", str(weights)], load=load) == 2
        error = capsys.readouterr().err
        assert reported in error
        assert error.count("\n") == 1
    assert not (tmp_path / "new").exists()
