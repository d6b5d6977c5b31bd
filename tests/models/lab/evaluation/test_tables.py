import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from posecascade.models.arrays import Image
from posecascade.models.lab.datasets.labelled import read_folder
from posecascade.models.lab.evaluation.dev_table import result_of, run_folder
from posecascade.models.lab.evaluation.peers import Skipped
from posecascade.models.lab.evaluation.plots import (
    save_error_against_cost,
    save_frontier,
    save_uncertainty,
)
from posecascade.models.lab.evaluation.sigma import people_with_sigma, sigma_figures
from posecascade.models.lab.evaluation.tables import Report, as_json, as_markdown
from posecascade.models.lab.scoring.answers import Guess
from posecascade.models.records import Camera
from tests.models.lab.evaluation.stages import cascade_of, scene


class Blind:
    """A 2D peer that finds nobody."""

    name = "blind"

    def people(self, image_bgr: Image, camera: Camera | None) -> Sequence[Guess]:
        return []


@pytest.fixture
def report(tmp_path: Path) -> Report:
    cascade = cascade_of(scene(tmp_path / "crowd", [2, 3, 1]))
    found = run_folder(read_folder(tmp_path / "crowd"), cascade, [Blind()], seeds=1)
    result = result_of(found, found.in_3d, rounds=20)
    return Report(
        result.rows,
        (Skipped("thunder", "no weights"),),
        {"threads": "2"},
        {"crowd": result.comparisons},
    )


def test_the_table_has_a_line_a_system_and_no_figure_that_a_system_cannot_give(
    report: Report,
) -> None:
    lines = as_markdown(report).splitlines()

    head = next(line for line in lines if line.startswith("| system"))
    blind = dict(
        zip(
            head.split(" | "),
            next(line for line in lines if line.startswith("| blind")).split(" | "),
            strict=True,
        )
    )
    assert blind["found %"] == "0.0 [0.0, 0.0]"
    assert blind["3DPCK@150"] == blind["MPJPE mm"] == blind["answered by"] == "-"
    assert "- thunder: no weights" in lines


def test_markdown_tables_have_as_many_cells_in_each_line_as_in_their_head(
    report: Report,
) -> None:
    width = 0
    for line in as_markdown(report).splitlines():
        width = 0 if not line.startswith("|") else width or line.count(" | ")
        assert not line.startswith("|") or line.count(" | ") == width


def test_the_json_is_strict_and_unknown_is_null(report: Report) -> None:
    again = json.loads(json.dumps(as_json(report), allow_nan=False))

    blind = next(row for row in again["rows"] if row["system"] == "blind")
    assert blind["summary"]["figures"]["mpjpe"]["value"] is None
    assert again["comparisons"]["crowd"][0]["changes"]["mpjpe"]["people"] == 6
    assert "Hungarian" in again["protocol"]


def test_plots_are_drawn_where_there_is_something_to_draw(
    report: Report, tmp_path: Path
) -> None:
    assert save_error_against_cost(tmp_path / "cost.png", report.rows)
    assert save_frontier(tmp_path / "frontier.png", report.rows)
    assert not save_error_against_cost(tmp_path / "none.png", [])
    assert not save_frontier(tmp_path / "none.png", [])
    assert not save_uncertainty(tmp_path / "none.png", {"blind": []})
    assert {path.name for path in tmp_path.glob("*.png")} == {
        "cost.png",
        "frontier.png",
    }


def test_nobody_labelled_leaves_no_frontier_to_draw(tmp_path: Path) -> None:
    scene(tmp_path, [0, 0])
    found = run_folder(read_folder(tmp_path), None, [Blind()], seeds=0)

    assert not save_frontier(
        tmp_path / "none.png", result_of(found, set(), rounds=5).rows
    )


def test_figures_by_group_stand_where_the_labels_know_groups(tmp_path: Path) -> None:
    cascade = cascade_of(scene(tmp_path / "crowd", [2] * 20))
    labels = json.loads((tmp_path / "crowd" / "labels.json").read_text())
    for image in labels["images"]:
        for person, skin in zip(image["people"], ("dark", "light"), strict=True):
            person |= {"groups": {"skin": skin}, "body": 7}
    (tmp_path / "crowd" / "labels.json").write_text(json.dumps(labels))

    found = run_folder(read_folder(tmp_path / "crowd"), cascade, [], seeds=0)
    result = result_of(found, found.in_3d, rounds=20)
    assert result.fairness is not None
    report = Report(result.rows, (), {}, fairness={"crowd": result.fairness})
    text = as_markdown(report)

    assert text.count("| skin | dark | 20 (1) | 100.0 [100.0, 100.0] |") == 4
    assert text.count("dark - light: ") + text.count("light - dark: ") == 4 * 5
    again = json.loads(json.dumps(as_json(report), allow_nan=False))
    assert again["fairness"]["crowd"]["gaps"][0]["kind"] == "skin"
    assert "By group" not in as_markdown(Report(result.rows, (), {}))


def test_sigmas_of_the_scripted_stages_are_calibrated_body_by_body(
    tmp_path: Path,
) -> None:
    cascade = cascade_of(scene(tmp_path, [4] * 12))
    coarse, *_ = run_folder(read_folder(tmp_path), cascade, [], seeds=0).runs

    figures = sigma_figures(coarse.scores)

    assert figures is not None
    # Above 1: the hips' own error moves all joints with them.
    assert figures.everybody.ratio == pytest.approx(1.2, abs=0.15)
    assert figures.ause_of_people < 0.1 * figures.ause_of_no_knowledge
    assert len(people_with_sigma(coarse.scores)) == 48
    assert np.isclose(figures.everybody.joints, 48 * 12)
    assert save_uncertainty(
        tmp_path / "sigma.png", {"coarse": people_with_sigma(coarse.scores)}
    )


def test_a_3d_system_that_finds_nobody_on_a_folder_is_wrong_there_and_not_unknown(
    tmp_path: Path,
) -> None:
    scene(tmp_path, [2, 1])
    found = run_folder(read_folder(tmp_path), None, [Blind()], seeds=0)

    [flat], [deep] = (
        result_of(found, names, rounds=5).rows for names in (set(), {"blind"})
    )

    assert np.isnan(flat.summary.figures["pck3d"].value)
    assert deep.summary.figures["pck3d"].value == 0
    assert np.isnan(deep.summary.figures["mpjpe"].value)
