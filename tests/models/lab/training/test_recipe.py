"""Recipes describe a training completely; unknown keys and values are refused."""

from importlib import resources

import pytest

pytest.importorskip("torch", reason="needs the extra `train`")

from posecascade.models.lab.training.recipe import Survivors, load_recipe
from posecascade.models.records import Stage

RECIPES = resources.files("posecascade.models.lab.training.recipes")


@pytest.mark.parametrize("stage", Stage)
def test_every_stage_has_a_recipe(stage):
    assert load_recipe(RECIPES / f"{stage}.toml").stage is stage


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('stage = "coarse"\npretrained = "x.onnx"\nsteps = 3', "unknown key steps"),
        (
            'stage = "coarse"\npretrained = "x.onnx"\n[optimiser]\nstep = 3',
            "unknown key step",
        ),
        (
            'stage = "coarse"\npretrained = "x.onnx"\n[optimiser]\nsteps = "3"',
            "steps must be a int",
        ),
        ('stage = "finest"\npretrained = "x.onnx"', "finest"),
        ('stage = "coarse"', "pretrained"),
        (
            'stage = "refine"\npretrained = "x.onnx"\n[survivors]\nshare = 0.2',
            "unknown key share",
        ),
        ("stage = ", "not TOML"),
    ],
)
def test_a_recipe_with_another_key_or_value_is_refused(tmp_path, text, message):
    path = tmp_path / "recipe.toml"
    path.write_text(text)
    with pytest.raises(ValueError, match=message):
        load_recipe(path)


def recipe(tmp_path, text):
    path = tmp_path / "recipe.toml"
    path.write_text('stage = "refine"\npretrained = "x.onnx"\nseed = 7\n' + text)
    return load_recipe(path)


def test_everybody_is_trained_on_unless_the_recipe_names_survivors(tmp_path):
    assert recipe(tmp_path, "").survivors is None
    chosen = recipe(tmp_path, "[survivors]\nprice = 2\nfloor = 0.1")
    assert chosen.survivors == Survivors(price=2.0, floor=0.1)


def test_fits_of_several_seeds_can_share_their_pictures(tmp_path):
    assert recipe(tmp_path, "").picture_seed == 7
    shared = recipe(tmp_path, "[data]\nseed = 1")
    assert (shared.seed, shared.picture_seed) == (7, 1)


def test_a_missing_recipe_is_one_clear_line(tmp_path):
    with pytest.raises(ValueError, match="no such recipe"):
        load_recipe(tmp_path / "absent.toml")
