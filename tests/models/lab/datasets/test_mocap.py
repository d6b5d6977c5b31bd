from pathlib import Path

import numpy as np
import pytest

from posecascade.models.lab.datasets.errors import MissingData
from posecascade.models.lab.datasets.mocap import random_bodies
from posecascade.models.lab.rendering.assets import find_assets
from posecascade.models.skeleton import BONES, JOINT_NAMES, MIRROR

J = {name: index for index, name in enumerate(JOINT_NAMES)}


@pytest.fixture(scope="module")
def assets() -> Path:
    try:
        return find_assets()
    except MissingData as missing:
        pytest.skip(str(missing))


@pytest.fixture(scope="module")
def bodies(assets) -> np.ndarray:
    return random_bodies(assets, "dev", 400, np.random.default_rng(0))


def lengths_mm(bodies: np.ndarray, *bones: tuple[str, str]) -> np.ndarray:
    """[N, len(bones)]"""
    ends = np.array([[J[a], J[b]] for a, b in bones])
    return np.linalg.norm(bodies[:, ends[:, 0]] - bodies[:, ends[:, 1]], axis=-1)


def test_the_origin_is_the_midpoint_of_the_hips(bodies):
    assert np.abs(bodies[:, J["pelvis"]]).max() < 1e-3
    assert np.abs(bodies[:, [J["left_hip"], J["right_hip"]]].mean(1)).max() < 0.1


def test_most_people_are_upright(bodies):
    """y is down: the head above the pelvis, both above the ankles."""
    head = bodies[:, J["head_top"], 1]
    ankles = bodies[:, [J["left_ankle"], J["right_ankle"]], 1].min(1)

    assert ((head < -100) & (ankles > 0)).mean() > 0.85


def test_people_are_as_tall_as_people(bodies):
    height_mm = (
        bodies[:, [J["left_ankle"], J["right_ankle"]], 1].max(1)
        - bodies[:, J["head_top"], 1]
    )

    assert 1200 < np.median(height_mm) < 1900


def test_left_is_left_of_where_people_face(bodies):
    """Feet point forward; in right-handed axes left is the way up crossed with the way forward."""
    facing = (
        bodies[:, [J["left_toe"], J["right_toe"]]]
        - bodies[:, [J["left_ankle"], J["right_ankle"]]]
    ).sum(1)
    up = bodies[:, J["neck"]] - bodies[:, J["pelvis"]]
    to_left = bodies[:, J["left_hip"]] - bodies[:, J["right_hip"]]

    assert ((np.cross(up, facing) * to_left).sum(1) > 0).mean() > 0.95


def test_every_body_is_as_long_left_as_right(bodies):
    limbs = [
        (a, b)
        for a, b in BONES
        if "left" in JOINT_NAMES[b] and JOINT_NAMES[a] != "neck"
    ]
    left = np.linalg.norm(
        bodies[:, [a for a, _ in limbs]] - bodies[:, [b for _, b in limbs]], axis=-1
    )
    right = np.linalg.norm(
        bodies[:, MIRROR[[a for a, _ in limbs]]]
        - bodies[:, MIRROR[[b for _, b in limbs]]],
        axis=-1,
    )

    assert np.median(np.abs(left - right) / right) < 0.02


def test_knees_bend_backwards_only(bodies):
    """Forward of the thigh is its direction crossed with the way to the left hip; shins do not go there."""
    for side in ("left", "right"):
        thigh, shin = (
            bodies[:, J[f"{side}_{b}"]] - bodies[:, J[f"{side}_{a}"]]
            for a, b in (("hip", "knee"), ("knee", "ankle"))
        )
        across = bodies[:, J["left_hip"]] - bodies[:, J["right_hip"]]
        forward = np.cross(thigh, across)
        forward /= np.linalg.norm(forward, axis=1, keepdims=True)
        ahead = (shin * forward).sum(1) / np.linalg.norm(shin, axis=1)
        assert (ahead < 0.3).mean() > 0.97


def test_bodies_come_in_many_sizes(bodies):
    thigh = lengths_mm(bodies, ("left_hip", "left_knee"))

    assert np.percentile(thigh, 98) / np.percentile(thigh, 2) > 1.5
    assert (thigh > 100).all()


def test_headings_are_uniform(bodies):
    across = bodies[:, J["left_hip"]] - bodies[:, J["right_hip"]]
    yaw = np.arctan2(across[:, 2], across[:, 0])

    assert np.abs(np.exp(1j * yaw).mean()) < 0.15


def test_equal_generators_give_equal_people(assets):
    first, second = (
        random_bodies(assets, "train", 5, np.random.default_rng(7)) for _ in range(2)
    )

    assert first.dtype == np.float32
    assert np.array_equal(first, second)


def test_nobody_is_asked_for_and_nobody_comes(assets):
    assert random_bodies(assets, "dev", 0, np.random.default_rng(0)).shape == (0, 25, 3)


def test_a_folder_without_assets_is_named(tmp_path: Path):
    with pytest.raises(MissingData, match=r"people\.npz"):
        find_assets(tmp_path)
