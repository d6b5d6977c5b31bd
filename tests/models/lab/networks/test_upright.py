"""The upright square that BlazePose is shown, and which landmark stands for which joint."""

import pytest

torch = pytest.importorskip("torch", reason="needs the extra `train`")
