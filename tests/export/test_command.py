import json
import subprocess
import sys

import pytest

from posecascade.export.command import main


@pytest.mark.parametrize(
    "command",
    [[], ["onnx"], ["onnx", "one.pt"], ["tensorrt", "--runtime", "cuda"], ["keras"]],
)
def test_wrong_usage_exits_with_2(command, capsys):
    with pytest.raises(SystemExit) as exit_:
        main(command)

    assert exit_.value.code == 2
    assert "usage: posecascade export" in capsys.readouterr().err


def test_a_missing_checkpoint_is_one_line_and_exit_1(tmp_path, capsys):
    code = main(
        [
            "onnx",
            *(str(tmp_path / f"{stage}.pt") for stage in "abc"),
            "--weights",
            str(tmp_path),
        ]
    )
    errors = capsys.readouterr().err.splitlines()

    assert (code, len(errors)) == (1, 1)
    assert errors[0].startswith("posecascade export:")
    assert "a.pt: no such checkpoint" in errors[0]


def test_a_folder_without_weights_is_one_line_and_exit_1(tmp_path, capsys):
    assert main(["tensorrt", "--weights", str(tmp_path)]) == 1
    assert "manifest.json is missing" in capsys.readouterr().err


WITHOUT_EXTRAS = """
import contextlib, io, json, sys
for name in ("torch", "onnx", "onnxscript", "numba", "scipy", "matplotlib"):
    sys.modules[name] = None
from posecascade.service.cli import main
done = []
for command in json.loads(sys.argv[1]):
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = main(command)
    done.append([status, out.getvalue(), err.getvalue()])
print(json.dumps(done))
"""


def without_extras(*commands):
    """Status, output and errors of commands where no package of the extra `train` can be imported."""
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_EXTRAS, json.dumps(commands)],
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


def test_help_with_choices_and_defaults_needs_no_extra():
    shown = {
        "train": ["recipe", "{auto,cpu,cuda}", "(default: auto)", "(default: runs)"],
        "export": ["onnx", "check", "tensorrt"],
        "export onnx": ["CHECKPOINT", "(default: docs/demo)"],
        "export tensorrt": ["{tensorrt,tensorrt-rtx}", "(default: tensorrt)"],
    }
    done = without_extras(*([*name.split(), "--help"] for name in shown))

    for (name, texts), (status, out, _) in zip(shown.items(), done, strict=True):
        assert status == 0, name
        assert [text for text in texts if text not in " ".join(out.split())] == []


def test_the_work_without_its_extra_is_one_line_that_says_what_to_install():
    done = without_extras(["train", "r.toml"], ["export", "onnx", *"abc"])

    assert [status for status, _, _ in done] == [2, 1]
    for _, _, err in done:
        assert len(err.splitlines()) == 1
        assert "needs the package 'torch'" in err
        assert "pip install 'posecascade[train]'" in err
