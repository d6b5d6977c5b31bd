import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from posecascade.models.lab.rendering.body import BodyModel
from posecascade.models.lab.rendering.census import (
    BUILD_L_M2,
    SKIN_ITA_DEG,
    Census,
    binned,
    ita_deg,
    mesh_volumes,
    volumes_l,
)
from posecascade.models.lab.rendering.wardrobe import BALD, Wardrobe

CORNERS = np.array([[x, y, z] for x in (0, 1) for y in (0, 1) for z in (0, 1)], float)
FACES = np.array(
    [[0, 1, 3, 2], [4, 6, 7, 5], [0, 4, 5, 1], [2, 3, 7, 6], [0, 2, 6, 4], [1, 5, 7, 3]]
)
CUBE = np.concatenate([FACES[:, [0, 1, 2]], FACES[:, [0, 2, 3]]])


@pytest.fixture(scope="module")
def body(assets):
    return BodyModel(assets / "people.npz")


@pytest.fixture(scope="module")
def wardrobe(assets):
    return Wardrobe(assets / "people.npz")


@pytest.mark.parametrize(
    ("rgb", "lightness", "yellow"),
    [((1, 0, 0), 53.24, 67.22), ((0, 1, 0), 87.73, 83.18)],
)
def test_the_typology_angle_is_that_of_published_lab_values(rgb, lightness, yellow):
    assert ita_deg(np.array(rgb, float)) == pytest.approx(
        np.degrees(np.arctan2(lightness - 50, yellow)), abs=0.1
    )


def test_a_grey_lighter_than_the_middle_is_as_light_as_can_be_and_a_darker_one_as_dark():
    assert ita_deg(np.full((2, 3), [[0.8], [0.2]])) == pytest.approx([90, -90], abs=0.3)


@given(st.floats(-90, 90))
def test_bins_hold_their_lower_edge_and_not_the_upper(value):
    expected = "dark" if value < -30 else "medium" if value < 28 else "light"

    assert binned(value, SKIN_ITA_DEG) == expected
    assert binned(18.5, BUILD_L_M2) == "medium"


def test_volumes_of_boxes_are_the_products_of_their_sides():
    boxes = np.stack([CORNERS, CORNERS * [2, 3, 4] + 7])

    assert mesh_volumes(boxes, CUBE) == pytest.approx([1, 24])


def test_bodies_weigh_what_people_weigh_and_more_with_more_weight(
    body, wardrobe, assets
):
    build_l_m2 = volumes_l(body, wardrobe) / body.height_m**2
    with np.load(assets / "people.npz") as stored:
        weight = stored["phenotype"][:, 3].astype(float)

    assert 15 < np.percentile(build_l_m2, 5) < np.percentile(build_l_m2, 95) < 26
    assert np.corrcoef(build_l_m2, weight)[0, 1] > 0.6


def test_everybody_is_of_one_group_of_each_kind(body, wardrobe):
    census = Census.of(body, wardrobe)
    truth = {
        "shape": np.array([3, 4]),
        "suit": np.array([wardrobe.index["male_casualsuit03"]] * 2),
        "hair": np.array([wardrobe.index["short03"], BALD]),
        "skin_rgb": np.array([[0.9, 0.72, 0.62], [0.25, 0.16, 0.11]]),
    }
    first = census.groups(truth, 0)
    second = census.groups(truth, 1)

    assert (first["skin"], first["hair"], first["suit"]) == (
        "light",
        "short",
        "male_casualsuit03",
    )
    assert (second["skin"], second["hair"], second["sex"]) == ("dark", "bald", "female")


def test_age_and_stature_are_those_of_the_body(body, wardrobe):
    census = Census.of(body, wardrobe)
    ages = np.array([groups["age"] for groups in census.by_body])
    statures = np.array([groups["stature"] for groups in census.by_body])

    assert body.age[ages == "child"].max() < 0.5 <= body.age[ages == "adult"].min()
    assert (
        body.height_m[statures == "tall"].min()
        >= 1.8
        > body.height_m[statures == "medium"].max()
    )
