"""Pictures for tests: a scene whose corners differ, so that a turned, mirrored or recoloured one is noticed."""

import io
from typing import Any

import numpy as np
from PIL import Image as Pillow

from posecascade.models.arrays import Image

CORNERS_BGR = {
    "top_left": (0, 0, 255),
    "top_right": (0, 255, 0),
    "bottom_left": (255, 0, 0),
    "bottom_right": (0, 0, 0),
}


def scene_bgr(width: int = 64, height: int = 48) -> Image:
    """[H, W, 3]: red, green / blue, black quarters."""
    picture = np.zeros((height, width, 3), np.uint8)
    picture[: height // 2, : width // 2] = CORNERS_BGR["top_left"]
    picture[: height // 2, width // 2 :] = CORNERS_BGR["top_right"]
    picture[height // 2 :, : width // 2] = CORNERS_BGR["bottom_left"]
    return picture


def encoded(
    picture: Pillow.Image | Image, format: str = "JPEG", **options: Any
) -> bytes:
    """The bytes of a picture; arrays are BGR or grey."""
    if isinstance(picture, np.ndarray):
        picture = Pillow.fromarray(picture[..., ::-1] if picture.ndim == 3 else picture)
    if format == "JPEG":
        options = {"quality": 95, "subsampling": 0} | options
    file = io.BytesIO()
    picture.save(file, format, **options)
    return file.getvalue()


def corners_bgr(image_bgr: Image) -> dict[str, tuple[int, int, int]]:
    """The colour in the middle of each quarter, each channel rounded to 0, 127 or 255."""
    height, width = image_bgr.shape[:2]
    at = {
        "top_left": (1, 1),
        "top_right": (1, 3),
        "bottom_left": (3, 1),
        "bottom_right": (3, 3),
    }
    levels = np.array([0, 127, 255])

    def colour(row: int, column: int) -> tuple[int, int, int]:
        pixel = image_bgr[height * row // 4, width * column // 4].astype(int)
        blue, green, red = levels[abs(levels - pixel[:, None]).argmin(1)].tolist()
        return blue, green, red

    return {name: colour(*place) for name, place in at.items()}
