"""Orientation and intrinsics of a picture from EXIF."""

import math
from typing import Any, Final

from PIL import ExifTags
from PIL import Image as Pillow

from posecascade.models.records import Camera, CameraSource

_DIAGONAL_35MM: Final = math.hypot(36, 24)
_UNIT_MM: Final = {2: 25.4, 3: 10.0, 4: 1.0, 5: 0.001}
"""FocalPlaneResolutionUnit: inch, cm, mm, um."""
_FOV_DEG: Final = (3.0, 150.0)
"""On the long side. Outside of it the tags are more likely wrong than the lens that odd."""
_SHAPE_TOLERANCE: Final = 0.02


def orientation(picture: Pillow.Image) -> int:
    """1..8; 1, upright, where nothing usable is stated."""
    value = _tags(picture).get(ExifTags.Base.Orientation, 1)
    return value if value in range(1, 9) else 1


def camera(picture: Pillow.Image, width: int, height: int) -> Camera | None:
    """Intrinsics for the upright picture of `width` x `height`, or None.

    A picture whose shape is not the one that the camera wrote down was cropped: its focal length is meaningless.
    """
    tags = _lens_tags(picture)
    stored = sorted(
        (
            _number(tags, ExifTags.Base.ExifImageWidth),
            _number(tags, ExifTags.Base.ExifImageHeight),
        )
    )
    shown = sorted((width, height))
    if (
        stored[0] > 0
        and abs(stored[1] * shown[0] / (stored[0] * shown[1]) - 1) > _SHAPE_TOLERANCE
    ):
        return None
    focal_px = _from_35mm(tags, width, height) or _from_sensor(tags, max(width, height))
    if not focal_px:
        return None
    fov_deg = math.degrees(2 * math.atan(max(width, height) / 2 / focal_px))
    if not _FOV_DEG[0] <= fov_deg <= _FOV_DEG[1]:
        return None
    return Camera(focal_px, focal_px, width / 2, height / 2, CameraSource.EXIF)


def _from_35mm(tags: dict[int, Any], width: int, height: int) -> float:
    """The equivalent is one of the diagonal (CIPA DCG-001), whatever the shape of the picture. 0: unknown."""
    return (
        _number(tags, ExifTags.Base.FocalLengthIn35mmFilm)
        * math.hypot(width, height)
        / _DIAGONAL_35MM
    )


def _from_sensor(tags: dict[int, Any], long_side_px: int) -> float:
    """From the focal length and the pixels per length on the sensor, allowing for a later resize. 0: unknown."""
    unit_mm = _UNIT_MM.get(
        int(_number(tags, ExifTags.Base.FocalPlaneResolutionUnit)) or 2, 0.0
    )
    stored_px = max(
        _number(tags, ExifTags.Base.ExifImageWidth),
        _number(tags, ExifTags.Base.ExifImageHeight),
    )
    if not (unit_mm and stored_px):
        return 0.0
    per_mm = _number(tags, ExifTags.Base.FocalPlaneXResolution) / unit_mm
    return _number(tags, ExifTags.Base.FocalLength) * per_mm * long_side_px / stored_px


def _number(tags: dict[int, Any], tag: int) -> float:
    """A tag as a positive finite number, else 0."""
    try:
        value = float(tags.get(tag, 0))
    except (TypeError, ValueError, ZeroDivisionError):
        return 0.0
    return value if math.isfinite(value) and value > 0 else 0.0


def _tags(picture: Pillow.Image) -> dict[int, Any]:
    try:
        return dict(picture.getexif())
    except Exception:  # damaged EXIF spoils no picture
        return {}


def _lens_tags(picture: Pillow.Image) -> dict[int, Any]:
    try:
        return dict(picture.getexif().get_ifd(ExifTags.IFD.Exif))
    except Exception:  # as above
        return {}
