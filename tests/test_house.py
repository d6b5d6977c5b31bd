"""The house around the code: what is installed, what is shipped, what the documents point at."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from posecascade.service.settings import Settings

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = (
    "torch",
    "onnx",
    "onnxscript",
    "numba",
    "scipy",
    "matplotlib",
    "openvino",
    "mediapipe",
    "tensorrt",
    "httpx",
)
"""Import names that a base installation does not have."""

BLOCKED = """
import sys
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {extras}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Absent())
import posecascade.service.cli, posecascade.service.app, posecascade.service.client
sys.exit(posecascade.service.cli.main({argv}))
"""


def without_extras(*argv: str) -> subprocess.CompletedProcess[str]:
    """The command line in a process where only the base dependencies can be imported."""
    code = BLOCKED.format(extras=EXTRAS, argv=list(argv))
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_serving_needs_no_extra():
    done = without_extras("--help")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("command", ["eval", "calibrate", "train", "export"])
def test_the_help_of_every_command_works_without_extras(command):
    done = without_extras(command, "--help")
    assert done.returncode == 0, done.stderr
    assert f"usage: posecascade {command}" in done.stdout


@pytest.mark.parametrize(
    "arguments", [["train", "absent.toml"], ["export", "onnx", "a", "b", "c"]]
)
def test_a_command_that_needs_an_extra_says_which(arguments):
    done = without_extras(*arguments)
    assert done.returncode != 0
    assert "pip install 'posecascade[train]'" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_pinned_versions_lie_in_the_ranges_of_the_project():
    stated = [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["train"]]
    ranges = {want.name: want.specifier for want in map(Requirement, stated)}
    pins = [
        line
        for line in (ROOT / "constraints.txt").read_text().splitlines()
        if "==" in line
    ]
    for name, version in (pin.split("==") for pin in pins):
        assert version in ranges[name], f"{name} {version} is not {ranges[name]}"


def test_torch_and_rival_runtimes_are_no_base_dependencies():
    names = {
        re.split(r"[^\w.-]", dependency)[0] for dependency in PROJECT["dependencies"]
    }
    assert not names & {
        "torch",
        "torchvision",
        "onnxruntime-gpu",
        "opencv-python",
        "opencv-contrib-python",
    }


def test_every_picture_that_ships_says_where_it_is_from():
    reported = (ROOT / "docs/demo/ATTRIBUTION.md").read_text()
    shipped = [
        path.name
        for path in (ROOT / "docs/demo").iterdir()
        if path.suffix in (".jpg", ".mp4")
    ]
    assert shipped
    assert [name for name in shipped if name not in reported] == []


@pytest.mark.parametrize(
    "name",
    ["README.md", "CONTRIBUTING.md", "docs/architecture.md", "docs/operations.md"],
)
def test_links_of_the_documents_lead_somewhere(name):
    text = (ROOT / name).read_text()
    local = [link for link in re.findall(r"\]\(([^)#]+)", text) if "://" not in link]
    assert [link for link in local if not ((ROOT / name).parent / link).exists()] == []


def test_every_setting_of_the_service_is_in_the_operations_guide():
    text = (ROOT / "docs/operations.md").read_text()
    assert [
        name
        for name in Settings.model_fields
        if f"`{name}`" not in text and name != "page"
    ] == []
