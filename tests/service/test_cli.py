"""The command line as it is typed: arguments in; exit status, files and text out."""

import csv
import json
from pathlib import Path

import cv2
import numpy as np
import pytest

import posecascade
from posecascade.models.errors import ManifestError
from posecascade.models.skeleton import JOINT_NAMES, JOINT_SETS
from posecascade.service.cli import main
from posecascade.service.commands.deferred import DEFERRED
from posecascade.service.media.video import Video, VideoFile
from posecascade.service.wire.poses import FrameReply
from tests.doubles import FakeCascade
from tests.pictures import encoded, scene_bgr


@pytest.fixture
def photo(tmp_path) -> Path:
    path = tmp_path / "photo.jpg"
    path.write_bytes(encoded(scene_bgr(640, 480)))
    return path


@pytest.fixture
def clip(tmp_path) -> Path:
    path = tmp_path / "clip.mp4"
    with VideoFile(path, fps=10) as file:
        for shade in (60, 120, 180):
            file.write(np.full((240, 320, 3), shade, np.uint8))
    return path


def run(*arguments: object, people: int = 2) -> int:
    return main(
        [str(argument) for argument in arguments],
        load=lambda weights, **_: FakeCascade(people=people),
    )


def test_a_photo_gives_a_table_of_people_in_metres(photo, capsys):
    assert run("predict", photo) == 0

    lines = capsys.readouterr().out.splitlines()
    assert "640x480, 2 people" in lines[0]
    assert len(lines) == 4
    assert lines[2].split()[:5] == ["0", "0.90", "0.00", "0.00", "4.00"]


@pytest.mark.parametrize("arguments", [["--format", "json"], ["--format", "jsonl"]])
def test_json_is_what_the_service_answers_and_says_of_which_file(
    photo, capsys, arguments
):
    assert run("predict", photo, *arguments) == 0

    record = json.loads(capsys.readouterr().out)
    assert record.pop("source") == str(photo)
    assert len(FrameReply.model_validate(record).people) == 2


def test_results_are_written_beside_each_other_and_nothing_half_written_is_left(
    photo, clip, tmp_path
):
    out = tmp_path / "out"
    assert run("predict", photo, clip, "--out", out, "--draw") == 0

    assert {path.name for path in out.iterdir()} == {
        "photo.json",
        "photo_poses.jpg",
        "clip.json",
        "clip_poses.mp4",
    }


def test_a_video_is_answered_frame_by_frame_with_ids_that_stay(clip, tmp_path, capsys):
    assert run("predict", clip, "--out", tmp_path) == 0

    frames = json.loads((tmp_path / "clip.json").read_text())["frames"]
    assert [frame["frame"]["id"] for frame in frames] == [0, 1, 2]
    assert np.allclose([frame["time_s"] for frame in frames], [0, 0.1, 0.2])
    assert [[person["id"] for person in frame["people"]] for frame in frames] == [
        [0, 1]
    ] * 3
    assert "3 frames, 2 people" in capsys.readouterr().out


def test_a_drawn_video_is_as_long_as_it_was_with_the_views_beside_it(clip, tmp_path):
    run("predict", clip, "--out", tmp_path, "--draw")

    with Video(tmp_path / "clip_poses.mp4") as drawn:
        shapes = [frame.image_bgr.shape for frame in drawn]
    assert len(shapes) == 3
    assert shapes[0][1] > 480


def test_csv_has_a_line_for_each_joint_and_blanks_for_those_that_are_lacking(
    photo, tmp_path
):
    run(
        "predict", photo, "--out", tmp_path, "--format", "csv", "--skeleton", "mupots17"
    )

    with (tmp_path / "photo.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["joint"] for row in rows] == list(JOINT_SETS["mupots17"].joints) * 2
    assert [row["joint"] for row in rows if row["x_mm"] == ""] == ["head"] * 2
    assert float(rows[14]["z_mm"]) == 4000.0  # the pelvis of the first


def test_an_input_that_fails_is_named_and_the_others_are_answered(
    photo, tmp_path, capsys
):
    broken = tmp_path / "broken.png"
    missing = tmp_path / "missing.mp4"
    broken.write_bytes(b"\x89PNG\r\n\x1a\n but no more")
    status = run("predict", broken, missing, photo, "--out", tmp_path / "out")

    errors = capsys.readouterr().err
    assert status == 1
    assert str(broken) in errors
    assert str(missing) in errors
    assert "2 of 3 inputs failed" in errors
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["photo.json"]


def test_a_folder_stands_for_the_pictures_and_videos_below_it(
    photo, clip, tmp_path, capsys
):
    (tmp_path / "deeper").mkdir()
    (tmp_path / "deeper" / "photo.JPG").write_bytes(photo.read_bytes())
    (tmp_path / "notes.txt").write_text("no picture")
    assert run("predict", tmp_path, "--out", tmp_path / "out") == 0

    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "clip.json",
        "photo.json",
        "photo_2.json",
    }


def test_a_folder_without_pictures_is_a_failed_input(tmp_path, capsys):
    assert run("predict", tmp_path) == 1
    assert f"{tmp_path}: there are no pictures or videos" in capsys.readouterr().err


def test_nobody_in_the_picture_is_no_failure(photo, capsys):
    assert run("predict", photo, people=0) == 0
    assert "0 people" in capsys.readouterr().out


def test_settings_reach_the_cascade(photo):
    cascade = FakeCascade()
    main(
        ["predict", str(photo), "--quality", "best", "--fov-deg", "90"],
        load=lambda weights, **_: cascade,
    )

    (options,) = cascade.requested
    assert options.quality == "best"
    assert options.camera.fx == pytest.approx(320)


@pytest.mark.parametrize(("arguments", "named"), [
    (["--quality", "good"], "quality"), (["--policy", "luck"], "policy"), (["--price", "nan"], "price"),
    (["--draw"], "--out"), (["--price", "1", "--max-extra-error-mm", "2"], "clash"), (["--format", "xml"], "--format"),
])  # fmt: skip
def test_wrong_usage_is_explained_and_costs_status_2(photo, capsys, arguments, named):
    assert run("predict", photo, *arguments) == 2
    assert named in capsys.readouterr().err


def test_a_region_outside_of_a_picture_fails_that_picture(photo, capsys):
    assert run("predict", photo, "--region", "600,0,100,100") == 1
    assert "inside the frame of 640x480" in capsys.readouterr().err


def test_weights_that_do_not_fit_are_explained_and_cost_status_2(photo, capsys):
    def load(weights, **_):
        raise ManifestError("manifest.json: coarse.onnx is damaged")

    assert main(["predict", str(photo)], load=load) == 2
    assert main(["info"], load=load) == 2
    assert capsys.readouterr().err.count("coarse.onnx is damaged") == 2


def test_info_tells_what_each_stage_really_runs_on(capsys):
    assert run("info") == 0
    table = capsys.readouterr().out
    assert run("info", "--json") == 0
    document = json.loads(capsys.readouterr().out)

    assert table.count("FakeExecutionProvider") == 3
    assert {stage["provider"] for stage in document["stages"].values()} == {
        "FakeExecutionProvider"
    }


@pytest.mark.parametrize(
    "command", [[], ["predict"], ["serve"], ["info"], *([name] for name in DEFERRED)]
)
def test_help_is_everywhere(command, capsys):
    assert main([*command, "--help"]) == 0
    assert "usage: posecascade" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [[], ["dance"], ["predict"]])
def test_half_a_command_costs_status_2(arguments, capsys):
    assert main(arguments) == 2
    assert "usage:" in capsys.readouterr().err


def test_the_help_lists_the_commands_of_the_other_parts(capsys):
    main(["--help"])
    text = capsys.readouterr().out
    assert all(name in text for name in DEFERRED)


def test_the_evaluation_of_streams_names_a_folder_without_labels(tmp_path, capsys):
    assert main(["eval", "stream", "--data", str(tmp_path)]) == 2
    assert "no labels.json" in capsys.readouterr().err


def test_serve_explains_a_setting_that_cannot_be(capsys):
    assert run("serve", "--port", "70000") == 2
    assert "port" in capsys.readouterr().err


def test_the_drawn_picture_shows_the_people(photo, tmp_path):
    run("predict", photo, "--out", tmp_path, "--draw")
    drawn = cv2.imread(str(tmp_path / "photo_poses.jpg"))
    plain = scene_bgr(640, 480)

    person = FakeCascade().predict(plain).people[0]
    x, y = person.pose.joints_px[JOINT_NAMES.index("neck")].astype(int)
    assert np.abs(drawn[y, x].astype(int) - plain[y, x]).max() > 60


def test_the_version_is_that_of_the_package(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.strip() == f"posecascade {posecascade.__version__}"


def test_the_help_of_predict_states_choices_and_defaults(capsys):
    main(["predict", "--help"])
    text = " ".join(capsys.readouterr().out.split())
    assert "values: fast | balanced | best; default: balanced" in text
    assert "default: cascade25" in text


def test_an_unknown_value_is_answered_with_the_usage_of_the_command(photo, capsys):
    assert main(["predict", str(photo), "--quality", "ultra"]) == 2
    message = capsys.readouterr().err
    assert message.startswith("usage: posecascade predict")
    assert "quality must be fast | balanced | best, got 'ultra'" in message


@pytest.mark.parametrize("variable", ["KEYS", "ALLOWED_ORIGINS"])
def test_a_variable_that_is_not_json_is_one_line(variable, monkeypatch, capsys):
    monkeypatch.setenv(f"POSECASCADE_{variable}", "notjson")
    assert main(["serve"]) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith(f"posecascade serve: POSECASCADE_{variable} must be JSON")
