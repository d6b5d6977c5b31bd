"""Simulated readings: bodies before cameras, read as real people were."""

import pytest

torch = pytest.importorskip("torch", reason="needs the extra `train`")
