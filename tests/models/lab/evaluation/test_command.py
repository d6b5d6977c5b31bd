import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from posecascade.models.cascade.cascade import Cascade
from posecascade.models.errors import ManifestError
from posecascade.models.lab.evaluation.command import main
from posecascade.models.lab.evaluation.contact_sheet import ROW_PX
from tests.models.lab.evaluation.stages import cascade_of, scene


@pytest.fixture
def data(tmp_path: Path) -> Path:
    scene(tmp_path / "scene", [2, 0, 3])
    return tmp_path / "scene"


@pytest.fixture
def load(tmp_path: Path):
    def loaded(*_: object, **__: object) -> Cascade:
        return cascade_of(scene(tmp_path / "told", [2, 0, 3]))

    return loaded


def call(*argv: object, **load: Any) -> int:
    return main([str(arg) for arg in argv], **load)


def test_a_run_writes_json_markdown_plots_and_a_sheet_and_says_who_was_skipped(
    data: Path, tmp_path: Path, load, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"

    status = call(
        "--data",
        data,
        "--peers",
        tmp_path / "none",
        "--peer",
        "thunder",
        "--out",
        out,
        "--rounds",
        20,
        load=load,
    )

    printed = capsys.readouterr()
    assert status == 0
    assert {path.name for path in out.iterdir()} == {
        "results.json",
        "results.md",
        "error_against_cost.png",
        "frontier_scene.png",
        "uncertainty.png",
        "sheet_scene.jpg",
    }
    assert "## scene: 3 frames, 5 people, 5 with 3D" in printed.out
    assert "skipped thunder: no peers.py" in printed.err
    report = json.loads((out / "results.json").read_text())
    assert [row["system"] for row in report["rows"]][:2] == [
        "coarse for all",
        "refine for all",
    ]
    assert report["rows"][0]["summary"]["figures"]["found"]["value"] == 100
    assert cv2.imread(str(out / "sheet_scene.jpg")).shape[0] == 3 * (ROW_PX + 4)


def test_only_each_nth_frame_is_looked_at(
    data: Path, tmp_path: Path, load, capsys: pytest.CaptureFixture[str]
) -> None:
    call(
        "--data",
        data,
        "--every",
        2,
        "--peers",
        tmp_path / "none",
        "--out",
        tmp_path / "out",
        "--rounds",
        5,
        "--sheet",
        0,
        load=load,
    )

    assert "## scene: 2 frames, 5 people" in capsys.readouterr().out


def test_the_worst_people_and_some_by_chance_are_drawn_when_asked_for(
    data: Path, tmp_path: Path, load
) -> None:
    out = tmp_path / "out"

    call(
        "--data",
        data,
        "--peers",
        tmp_path / "none",
        "--out",
        out,
        "--rounds",
        5,
        "--sheet",
        0,
        "--worst",
        6,
        load=load,
    )

    assert {path.name for path in out.glob("*.jpg")} == {
        f"{kind}_{stage}.jpg"
        for kind in ("worst", "random")
        for stage in ("coarse", "refine", "expert")
    }


def test_the_routing_table_is_recorded(
    data: Path, tmp_path: Path, load, capsys: pytest.CaptureFixture[str]
) -> None:
    assert (
        call(
            "record",
            "--data",
            data,
            "--out",
            tmp_path / "deep" / "table.npz",
            load=load,
        )
        == 0
    )

    assert "5 detections, 5 of them on labelled people" in capsys.readouterr().out
    with np.load(tmp_path / "deep" / "table.npz") as table:
        assert table["routes"].tolist() == [
            "coarse",
            "refine",
            "expert",
            "refine expert",
        ]


def refuse(*argv: object, capsys: pytest.CaptureFixture[str], **load: Any) -> str:
    assert call(*argv, **load) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    return lines[0]


def test_bad_paths_are_refused_in_one_line(
    data: Path, tmp_path: Path, load, capsys: pytest.CaptureFixture[str]
) -> None:
    assert refuse("--data", tmp_path / "no", load=load, capsys=capsys).endswith(
        "no: no such folder"
    )
    assert "no labels.json in it" in refuse(
        "--data", tmp_path, load=load, capsys=capsys
    )
    (data / "1.png").unlink()
    assert "image 1 (1.png): no picture" in refuse(
        "record", "--data", data, load=load, capsys=capsys
    )
    assert "not a readable picture" in refuse(
        "speed", "--photo", tmp_path / "no.jpg", load=load, capsys=capsys
    )


def test_bad_numbers_and_origins_are_refused_in_one_line(
    data: Path, load, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "--every must be 1 or more, got 0" in refuse(
        "--data", data, "--every", 0, load=load, capsys=capsys
    )
    assert "names must differ, got scene, scene" in refuse(
        "--data", data, data, load=load, capsys=capsys
    )
    assert "--origin wants" in refuse(
        "--data", data, "--origin", "coarse=a.onnx", load=load, capsys=capsys
    )
    assert "a.onnx: no such file" in refuse(
        "--data", data, "--origin", "refine=a.onnx", load=load, capsys=capsys
    )


def test_missing_weights_are_named(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def load(*_: object, **__: object) -> Cascade:
        raise ManifestError("weights/manifest.json is missing")

    assert "manifest.json is missing" in refuse(
        "--data", data, load=load, capsys=capsys
    )


def test_speed_times_every_quality_on_every_crowd(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def load(*_: object, **__: object) -> Cascade:
        return cascade_of(scene(tmp_path / "told", [2] * 256))

    cv2.imwrite(str(tmp_path / "photo.png"), np.full((480, 640, 3), 9, np.uint8))

    status = call(
        "speed",
        "--photo",
        tmp_path / "photo.png",
        "--people",
        0,
        2,
        "--repeats",
        2,
        "--starts",
        0,
        "--peers",
        tmp_path / "none",
        "--out",
        tmp_path / "out",
        load=load,
    )

    report = json.loads((tmp_path / "out" / "speed.json").read_text())
    assert status == 0
    assert [
        (timing["contestant"], timing["people"]) for timing in report["timings"]
    ] == [
        (quality, people)
        for people in (0, 2)
        for quality in ("fast", "balanced", "best")
    ]
    assert "| fast |" in capsys.readouterr().out
