import pytest

from export.cli import main


@pytest.mark.parametrize("command", [[], ["onnx"], ["onnx", "one.pt"], ["tensorrt", "--runtime", "cuda"], ["keras"]])
def test_wrong_usage_exits_with_2(command, capsys):
    with pytest.raises(SystemExit) as exit_:
        main(command)

    assert exit_.value.code == 2
    assert "usage: posecascade export" in capsys.readouterr().err


def test_a_missing_checkpoint_is_one_line_and_exit_1(tmp_path, capsys):
    code = main(["onnx", *(str(tmp_path / f"{stage}.pt") for stage in "abc"), "--weights", str(tmp_path)])
    told = capsys.readouterr().err.splitlines()

    assert (code, len(told)) == (1, 1)
    assert told[0].startswith("posecascade export:")
    assert "a.pt: no such checkpoint" in told[0]


def test_a_folder_without_weights_is_one_line_and_exit_1(tmp_path, capsys):
    assert main(["tensorrt", "--weights", str(tmp_path)]) == 1
    assert "manifest.json is missing" in capsys.readouterr().err
