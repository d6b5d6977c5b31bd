"""`posecascade eval tradeoff` as it is typed."""

import json
from pathlib import Path

import pytest

from posecascade.models.lab.evaluation.command import main
from posecascade.models.lab.evaluation.tradeoff.measure import without_disagreement
from posecascade.models.lab.fitting.calibration import neutral
from posecascade.models.lab.fitting.policies import fit_policies
from posecascade.models.policies.table import FEATURES
from tests.models.folders import write_weights
from tests.models.lab.evaluation.tradeoff.test_people import in_2d
from tests.models.lab.fitting.people import COST_MS, people


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sound folder of weights, whose policies were fitted."""
    calibration = neutral() | {
        "policies": fit_policies([people(100)], COST_MS),
        "balanced_budget_ms": 15.0,
    }
    return write_weights(tmp_path_factory.mktemp("weights"), calibration, COST_MS)


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tables")
    people(120, seed=1).save(folder / "fit.npz")
    people(60, seed=2).save(folder / "deep.npz")
    in_2d(people(20, seed=3), "photographs").save(folder / "flat.npz")
    return folder


def call(*argv: object) -> int:
    return main(["tradeoff", *map(str, argv)])


def test_policies_are_fitted_and_compared_and_everything_is_written(
    weights, tables, tmp_path, capsys
):
    status = call(
        "--weights",
        weights,
        "--fit",
        tables / "fit.npz",
        "--neutral",
        "--test",
        tables / "deep.npz",
        tables / "flat.npz",
        "--rounds",
        20,
        "--splits",
        5,
        "--out",
        tmp_path,
    )
    report = json.loads((tmp_path / "tradeoff.json").read_text())
    rows = report["groups"][0]["parts"][0]["points"]

    assert status == 0
    assert {path.name for path in tmp_path.iterdir()} == {
        "tradeoff.md",
        "tradeoff.json",
        "tradeoff_made.png",
        "tradeoff_photographs.png",
        "efficacy.png",
        "exits.png",
        "gain_reliability.png",
    }
    assert (
        capsys.readouterr().out.strip()
        == (tmp_path / "tradeoff.md").read_text().strip()
    )
    assert [group["name"] for group in report["groups"]] == ["made", "photographs"]
    assert len(report["prices"]) == 3
    assert {row["policy"] for row in rows} == {
        "gain",
        "threshold",
        "idk",
        "skip",
        "skip_from_scratch",
        "actor",
        "pragmatic_critic",
        "optimistic_critic",
        "random",
        "alternate",
        "gain without disagreement",
        "gain, 15 ms a frame",
    }
    assert all(
        sum(row["policy"] == name for row in rows) == 3
        for name in ("gain", "random", "idk")
    )


def test_without_tables_to_fit_on_the_policies_of_the_weights_are_compared(
    weights, tables, tmp_path
):
    assert (
        call(
            "--weights",
            weights,
            "--test",
            tables / "flat.npz",
            "--rounds",
            5,
            "--splits",
            5,
            "--prices",
            4,
            0.2,
            1,
            "--out",
            tmp_path,
        )
        == 0
    )
    report = json.loads((tmp_path / "tradeoff.json").read_text())

    assert report["prices"] == [0.2, 1, 4]
    assert "nothing yet" in report["conditions"]["policies fitted on"]
    assert "gain without disagreement" not in {
        row["policy"] for row in report["groups"][0]["parts"][0]["points"]
    }
    assert (
        report["groups"][0]["predicted"] == []
    )  # gains are known in millimetres alone


def test_what_is_asked_in_vain_is_refused_in_one_line(
    weights, tables, tmp_path, capsys
):
    requested = {
        "--rounds must be 1 or more": ("--test", tables / "deep.npz", "--rounds", 0),
        "No such file": ("--test", tables / "none.npz"),
        "is missing": ("--test", tables / "deep.npz", "--weights", tmp_path),
    }
    for reported, argv in requested.items():
        assert call("--weights", weights, *argv) == 2
        error = capsys.readouterr().err
        assert reported in error
        assert error.count("\n") == 1


def test_a_rule_without_disagreement_does_not_look_at_it():
    at = FEATURES.index("disagreement")
    blind = without_disagreement([people(100)])

    assert all(gain.weights[at] == 0 for gain in blind.gains.values())
