"""The renderer's assets, for the tests that need them."""

from pathlib import Path

import pytest

from posecascade.models.lab.datasets.errors import MissingData
from posecascade.models.lab.rendering.assets import find_assets


@pytest.fixture(scope="session")
def assets() -> Path:
    try:
        return find_assets()
    except MissingData as missing:
        pytest.skip(str(missing))
