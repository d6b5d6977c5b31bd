"""Pictures on disk, whole or refused."""

from pathlib import Path
from typing import Final

import cv2
import numpy as np

from posecascade.models.arrays import Image

_ENDS: Final = {b"\xff\xd8\xff": b"\xff\xd9", b"\x89PNG": b"IEND"}
"""How a file starts, and what stands at the end of one that is all there."""
_TAIL_BYTES: Final = 4096
"""Cameras and editors may write something behind the end."""


def read_picture(path: Path) -> Image:
    """[H, W, 3] blue-green-red, EXIF rotation applied.

    Raises:
        ValueError: it cannot be read, or its end is missing (OpenCV would fill it up with grey).
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ValueError(f"{path}: {error.strerror}") from error
    end = next((end for start, end in _ENDS.items() if data.startswith(start)), b"")
    if end not in data[-_TAIL_BYTES:]:
        raise ValueError(f"{path}: the picture is truncated")
    image = (
        cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR) if data else None
    )
    if image is None:
        raise ValueError(f"{path}: not a readable picture")
    return np.asarray(image, np.uint8)
