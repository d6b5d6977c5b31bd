"""Facts about the live page that need no browser."""

import json
import re
from pathlib import PurePosixPath

import pytest

from posecascade.models.records import Stage
from posecascade.models.skeleton import CASCADE25
from posecascade.service.settings import PAGE
from posecascade.service.wire.skeleton import Skeleton

SCRIPTS = sorted(path.name for path in PAGE.glob("*.js"))


def text(name):
    return (PAGE / name).read_text(encoding="utf-8")


def constant(name):
    """A constant of skeleton.js, which is written as JSON."""
    return json.loads(
        re.search(rf"{name} = (\[.*?\]);", text("skeleton.js"), re.DOTALL)[1]
    )


async def test_the_page_and_all_it_refers_to_are_served(client):
    page = await client.get("/")
    assert page.headers["content-type"].startswith("text/html")
    for target in re.findall(r'(?:src|href)="([^"#]+)"', page.text):
        assert (await client.get(f"/{target}")).status_code == 200, target


@pytest.mark.parametrize("script", SCRIPTS)
def test_every_import_leads_to_a_file(script):
    for target in re.findall(r'from "\./([^"]+)"', text(script)):
        assert (PAGE / target).is_file()


@pytest.mark.parametrize("name", ["index.html", "style.css", *SCRIPTS])
def test_nothing_is_fetched_from_elsewhere(name):
    assert re.findall(r"""["'(]\s*(?:https?:)?//""", text(name)) == []


def test_the_skeleton_that_is_drawn_is_the_one_that_is_answered():
    skeleton = Skeleton.of(CASCADE25).model_dump(mode="json")
    assert constant("JOINTS") == skeleton["joints"]
    assert constant("BONES") == skeleton["bones"]


def test_every_stage_has_a_colour_and_an_entry_in_the_legend():
    colours = re.search(r"COLOURS = \{(.*?)\}", text("skeleton.js"))[1]
    for stage in Stage:
        assert f"{stage}:" in colours
        assert f'<i class="swatch {stage}"></i>{stage}' in text("index.html")


def test_every_element_that_the_scripts_look_for_is_there():
    ids = set(re.findall(r'id="([^"]+)"', text("index.html")))
    for script in ("app.js", "panel.js"):
        assert set(re.findall(r'\$\("([^"]+)"\)', text(script))) <= ids


def test_it_weighs_little():
    assert sum(path.stat().st_size for path in PAGE.iterdir()) < 200_000
    assert {PurePosixPath(path).suffix for path in map(str, PAGE.iterdir())} == {
        ".html",
        ".css",
        ".js",
        ".svg",
        ".jpg",
    }
