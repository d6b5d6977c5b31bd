from pathlib import Path

import numpy as np
import pytest

from models.datasets.errors import MissingData
from models.datasets.mocap import random_bodies
from models.datasets.synthetic.assets import find_assets
from models.skeleton import JOINT_NAMES


@pytest.fixture(scope="module")
def bodies() -> np.ndarray:
    try:
        return random_bodies(find_assets(), "dev", 64, np.random.default_rng(0))
    except MissingData as missing:
        pytest.skip(str(missing))


def test_bodies_stand_about_their_pelvis(bodies):
    assert np.abs(bodies[:, JOINT_NAMES.index("pelvis")]).max() < 1e-3


def test_people_are_as_tall_as_people(bodies):
    """From the head to the lower ankle, most of them standing."""
    ankles = bodies[:, [JOINT_NAMES.index("left_ankle"), JOINT_NAMES.index("right_ankle")], 1].max(1)
    height_mm = ankles - bodies[:, JOINT_NAMES.index("head_top"), 1]

    assert 1200 < np.median(height_mm) < 1900


def test_equal_generators_give_equal_people():
    try:
        assets = find_assets()
    except MissingData as missing:
        pytest.skip(str(missing))
    first, second = (random_bodies(assets, "train", 5, np.random.default_rng(7)) for _ in range(2))

    assert np.array_equal(first, second)


def test_a_folder_without_assets_is_named(tmp_path: Path):
    with pytest.raises(MissingData, match=r"people\.npz"):
        find_assets(tmp_path)
