"""Recipes say all of a training, and nothing that is not understood."""

from pathlib import Path

import pytest

pytest.importorskip("torch", reason="needs the extra `train`")

from models.records import Stage
from models.training.recipe import load_recipe

RECIPES = Path(__file__).parents[3] / "models" / "training" / "recipes"


@pytest.mark.parametrize("stage", Stage)
def test_every_stage_has_a_recipe(stage):
    assert load_recipe(RECIPES / f"{stage}.toml").stage is stage


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('stage = "coarse"\npretrained = "x.onnx"\nsteps = 3', "unknown key steps"),
        ('stage = "coarse"\npretrained = "x.onnx"\n[optimiser]\nstep = 3', "unknown key step"),
        ('stage = "coarse"\npretrained = "x.onnx"\n[optimiser]\nsteps = "3"', "steps must be a int"),
        ('stage = "finest"\npretrained = "x.onnx"', "finest"),
        ('stage = "coarse"', "pretrained"),
        ("stage = ", "not TOML"),
    ],
)
def test_a_recipe_that_says_something_else_is_refused(tmp_path, text, said):
    path = tmp_path / "recipe.toml"
    path.write_text(text)
    with pytest.raises(ValueError, match=said):
        load_recipe(path)


def test_a_missing_recipe_is_one_clear_line(tmp_path):
    with pytest.raises(ValueError, match="no such recipe"):
        load_recipe(tmp_path / "absent.toml")
