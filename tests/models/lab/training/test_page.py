"""The page of a run shows its curves, and says what is missing."""

import json

import numpy as np
import pytest

pytest.importorskip("matplotlib", reason="needs the extra `train`")

from posecascade.models.lab.training.page import main, write_page


def log(folder, steps, loss):
    folder.mkdir(parents=True)
    lines = [
        json.dumps({"step": step, "time": 60.0 * step, "plane": 1.0, "total": loss})
        for step in steps
    ]
    (folder / "log.jsonl").write_text("\n".join(lines) + "\n")


def test_the_page_names_each_phase_with_its_last_line(tmp_path):
    log(tmp_path / "picture", [50, 100], 2.5)
    log(tmp_path / "head", [50, 100, 50, 150], -4.25)
    page = write_page(tmp_path, np.zeros((8, 8, 3), np.uint8)).read_text()
    assert "<td>picture<td>100<td>2.500<td>50" in page
    assert "<td>head<td>150<td>-4.250<td>100" in page
    assert 'src="curves.png"' in page
    assert 'src="examples.jpg"' in page
    assert (tmp_path / "curves.png").stat().st_size > 1000


def test_without_examples_none_are_shown(tmp_path):
    log(tmp_path / "head", [50], 1.0)
    assert "examples.jpg" not in write_page(tmp_path).read_text()


def test_a_run_that_has_logged_nothing_is_refused(tmp_path, capsys):
    with pytest.raises(SystemExit) as left:
        main([str(tmp_path)])
    assert left.value.code == 2
    assert "nothing logged yet" in capsys.readouterr().err
