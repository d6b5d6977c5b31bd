"""From the bytes of a picture to pixels and, where EXIF knows it, the camera.

Pillow reads the headers (size, format, animation, EXIF) without decoding, and decodes what is rare: PNG, WebP, BMP,
TIFF, GIF, CMYK, 16 bit, alpha. OpenCV decodes ordinary JPEG, a quarter faster. Rules:

- The size is checked before a pixel is decoded.
- 16 bit is scaled to 8; CMYK is taken as Adobe's inverted kind, which is the one found in practice; what is
  transparent shows mid grey, on which neither dark nor light clothes get an outline.
- EXIF orientation is applied: the frame is the picture as people see it.
- Of a TIFF with several pages the first is read; an animation is refused, since one frame of it is no answer.
"""

import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from PIL import Image as Pillow

from posecascade.models.arrays import Image
from posecascade.models.records import Camera
from posecascade.service.errors import (
    BadImage,
    EmptyBody,
    TooManyBytes,
    TooManyPixels,
    UnsupportedMedia,
)
from posecascade.service.media import exif
from posecascade.service.media.sniff import SUPPORTED, reason_unsupported, webp_size

Pillow.MAX_IMAGE_PIXELS = (
    None  # it would warn at a limit of its own; ours is checked below
)
MAX_SCANS: Final = 200
"""Of a progressive JPEG. Each costs a pass over the whole picture, so a small file could ask for minutes."""
_GREY: Final = 127
_OPAQUE: Final = {
    "1": "L",
    "L": "L",
    "CMYK": "RGB",
    "YCbCr": "RGB",
    "LAB": "RGB",
    "RGB": "RGB",
}
"""Pillow's modes without alpha, and what each is converted to."""

_UPRIGHT: Final[
    dict[int, Callable[[Image], Image]]
] = {  # EXIF orientation -> how to set it upright
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.transpose(1, 0, 2),
    6: lambda a: a.transpose(1, 0, 2)[:, ::-1],
    7: lambda a: a[::-1, ::-1].transpose(1, 0, 2),
    8: lambda a: a.transpose(1, 0, 2)[::-1],
}


@dataclass(frozen=True, slots=True)
class Limits:
    """Checked before anything is decoded."""

    max_bytes: int = 16 * 2**20
    max_pixels: int = 40_000_000


@dataclass(frozen=True, slots=True, eq=False)
class DecodedImage:
    """A picture as people see it."""

    image_bgr: Image
    """[H, W, 3] upright, contiguous."""

    camera: Camera | None
    """From EXIF; None where it has nothing usable."""

    queued_ms: float = 0.0
    """Waiting for a thread to decode it."""

    @property
    def width(self) -> int:
        return int(self.image_bgr.shape[1])

    @property
    def height(self) -> int:
        return int(self.image_bgr.shape[0])


def decode(data: bytes, limits: Limits = Limits()) -> DecodedImage:
    """
    Raises:
        EmptyBody, TooManyBytes, TooManyPixels, UnsupportedMedia, BadImage: as their names say.
    """
    if not data:
        raise EmptyBody("want the bytes of a picture, got none")
    if len(data) > limits.max_bytes:
        raise TooManyBytes(
            f"{len(data)} bytes are more than the {limits.max_bytes} allowed"
        )
    if reason := reason_unsupported(data):
        raise UnsupportedMedia(reason)
    if size := webp_size(data):  # Pillow would allocate the canvas to open it
        _check_pixels(*size, limits)
    with _opened(data) as picture:
        _check_pixels(*picture.size, limits)
        pixels = _pixels_bgr(picture, data)
        orientation = (
            1 if picture.format == "TIFF" else exif.orientation(picture)
        )  # Pillow turns TIFF itself
        if orientation in _UPRIGHT:
            pixels = _UPRIGHT[orientation](pixels)
        return DecodedImage(
            np.ascontiguousarray(pixels),
            exif.camera(picture, pixels.shape[1], pixels.shape[0]),
        )


def _opened(data: bytes) -> Pillow.Image:
    """Header only; no animation."""
    try:
        picture = Pillow.open(io.BytesIO(data), formats=SUPPORTED)
        animated = picture.format in ("GIF", "PNG", "WEBP") and getattr(
            picture, "is_animated", False
        )
    except Exception as error:  # parsers of hostile bytes raise anything
        raise BadImage(
            "want JPEG, PNG, WebP, BMP, TIFF or GIF, got bytes that are none of them, "
            "or whose header is damaged"
        ) from error
    if animated:
        raise UnsupportedMedia(
            f"this {picture.format} is animated; send one frame of it, or use the stream"
        )
    return picture


def _check_pixels(width: int, height: int, limits: Limits) -> None:
    if width * height > limits.max_pixels:
        raise TooManyPixels(
            f"{width}x{height} is {width * height / 1e6:.1f} megapixels; "
            f"at most {limits.max_pixels / 1e6:g} are allowed"
        )
    if width < 1 or height < 1:
        raise BadImage(f"a picture of {width}x{height} pixels shows nothing")


def _pixels_bgr(picture: Pillow.Image, data: bytes) -> Image:
    """[H, W, 3] as stored, before orientation."""
    if picture.format in ("JPEG", "MPO"):
        _check_scans(data)
        if picture.mode in ("L", "RGB"):
            return _opencv_jpeg(data)
    try:
        return _pillow_pixels(picture)
    except UnsupportedMedia:
        raise
    except Exception as error:  # as above
        raise BadImage(f"the {picture.format} cannot be decoded: {error}") from error


def _check_scans(data: bytes) -> None:
    """A JPEG must come to its end; decoders fill what is missing with grey. Bytes after the end do no harm.

    In the coded data a byte 0xFF is always followed by a zero or a marker, so the markers can be searched for; in the
    segments before the first scan they cannot (a thumbnail has its own end).
    """
    scans = _first_scan(data)
    if data.find(b"\xff\xd9", scans) < 0:
        raise BadImage("the JPEG is truncated: its end marker is missing")
    if data.count(b"\xff\xda", scans) > MAX_SCANS:
        raise BadImage(f"the JPEG has more than {MAX_SCANS} scans")


def _first_scan(data: bytes) -> int:
    """Offset of the first start-of-scan marker."""
    at = 2
    while at + 4 <= len(data):
        if (
            data[at] != 0xFF
        ):  # stray bytes between segments: decoders skip them, and so do we
            at = data.find(b"\xff", at) % (len(data) + 1)  # not found: past the end
        elif data[at + 1] == 0xDA:
            return at
        elif (
            data[at + 1] in (0x00, 0x01, 0xFF) or 0xD0 <= data[at + 1] <= 0xD9
        ):  # fill, or no payload
            at += 1 if data[at + 1] == 0xFF else 2
        else:
            at += 2 + int.from_bytes(data[at + 2 : at + 4])
    raise BadImage("the JPEG is truncated: it ends before its picture begins")


def _opencv_jpeg(data: bytes) -> Image:
    flags = (
        cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
    )  # orientation is applied once, for all formats alike
    try:
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except cv2.error as error:
        raise BadImage(f"the JPEG cannot be decoded: {error.err}") from error
    if pixels is None:
        raise BadImage("the JPEG cannot be decoded: its data is damaged or incomplete")
    return np.asarray(pixels, np.uint8)


def _pillow_pixels(picture: Pillow.Image) -> Image:
    picture.load()
    if picture.mode.startswith("I;16"):
        picture = Pillow.fromarray((np.asarray(picture) >> 8).astype(np.uint8))
    if picture.mode in ("F", "I"):
        raise UnsupportedMedia(
            f"pixels of 32 bits (mode {picture.mode}) have no known range; send 8 or 16 bits"
        )
    if picture.mode in _OPAQUE and "transparency" not in picture.info:
        rgb = picture.convert(_OPAQUE[picture.mode]).convert("RGB")
    else:
        seen = picture.convert("RGBA")
        ground = Pillow.new("RGBA", seen.size, (_GREY, _GREY, _GREY, 255))
        rgb = Pillow.alpha_composite(ground, seen).convert("RGB")
    return np.asarray(rgb)[..., ::-1]
