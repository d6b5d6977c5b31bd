"""Metric 3D poses of every person in a frame, with computation where the picture is difficult.

The code lies in the top-level folders `models`, `service` and `export`, which this package links to. Names below are
imported on first use, so that `import posecascade` is cheap and the client needs no runtime.
"""

from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from posecascade.models.cascade import Cascade
    from posecascade.models.drawing import draw
    from posecascade.models.options import Options, Quality
    from posecascade.models.records import Camera, Frame, Person, Pose
    from posecascade.models.tracking.stream import Stream
    from posecascade.service.client import Client

__all__ = [
    "Camera",
    "Cascade",
    "Client",
    "Frame",
    "Options",
    "Person",
    "Pose",
    "Quality",
    "Stream",
    "__version__",
    "draw",
]

_HOME: Final = {
    "Camera": "models.records",
    "Cascade": "models.cascade",
    "Client": "service.client",
    "Frame": "models.records",
    "Options": "models.options",
    "Person": "models.records",
    "Pose": "models.records",
    "Quality": "models.options",
    "Stream": "models.tracking.stream",
    "draw": "models.drawing",
}

try:
    __version__ = version("posecascade")
except PackageNotFoundError:  # a checkout that was not installed
    __version__ = "0+unknown"


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'posecascade' has no attribute {name!r}")
    value = getattr(import_module(f"posecascade.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
