"""Every kind of picture that people send comes out upright and in its colours; everything else is named."""

import struct
import zlib

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as Pillow

from posecascade.models.records import CameraSource
from posecascade.service.errors import (
    BadImage,
    EmptyBody,
    TooManyBytes,
    TooManyPixels,
    UnsupportedMedia,
)
from posecascade.service.media.decode import Limits, decode
from tests.pictures import CORNERS_BGR, corners_bgr, encoded, scene_bgr

SCENE = Pillow.fromarray(scene_bgr()[..., ::-1])


def tiff_16(mode: str = "rgb") -> bytes:
    picture = scene_bgr().astype(np.uint16) * 257
    return cv2.imencode(".tiff", picture if mode == "rgb" else picture[..., 0])[
        1
    ].tobytes()


@pytest.mark.parametrize("data", [
    pytest.param(encoded(SCENE), id="jpeg"),
    pytest.param(encoded(SCENE, progressive=True), id="progressive jpeg"),
    pytest.param(encoded(SCENE.convert("CMYK")), id="cmyk jpeg, inverted as Adobe does"),
    pytest.param(encoded(SCENE, "PNG"), id="png"),
    pytest.param(encoded(SCENE.quantize(8), "PNG"), id="palette png"),
    pytest.param(encoded(SCENE.convert("RGBA"), "PNG"), id="opaque alpha png"),
    pytest.param(cv2.imencode(".png", scene_bgr().astype(np.uint16) * 257)[1].tobytes(), id="16 bit png"),
    pytest.param(encoded(SCENE, "WEBP", lossless=True), id="lossless webp"),
    pytest.param(encoded(SCENE, "WEBP", quality=95), id="lossy webp"),
    pytest.param(encoded(SCENE, "BMP"), id="bmp"),
    pytest.param(encoded(SCENE, "TIFF", compression="tiff_lzw"), id="tiff"),
    pytest.param(encoded(SCENE.convert("CMYK"), "TIFF"), id="cmyk tiff"),
    pytest.param(tiff_16(), id="16 bit tiff"),
    pytest.param(encoded(SCENE, "GIF"), id="still gif"),
])  # fmt: skip
def test_colours_and_places_survive_every_format(data: bytes) -> None:
    picture = decode(data)

    assert picture.image_bgr.shape == (48, 64, 3)
    assert picture.image_bgr.dtype == np.uint8
    assert picture.image_bgr.flags.c_contiguous
    assert corners_bgr(picture.image_bgr) == CORNERS_BGR


@pytest.mark.parametrize("data", [
    pytest.param(encoded(SCENE.convert("L")), id="jpeg"),
    pytest.param(encoded(SCENE.convert("L"), "PNG"), id="png"),
    pytest.param(encoded(SCENE.convert("LA"), "PNG"), id="png with alpha"),
    pytest.param(cv2.imencode(".png", np.uint16(257) * np.asarray(SCENE.convert("L")))[1].tobytes(), id="16 bit png"),
])  # fmt: skip
def test_grey_becomes_three_equal_channels_of_the_same_brightness(data: bytes) -> None:
    image = decode(data).image_bgr.astype(int)

    assert np.ptp(image, axis=2).max() == 0
    assert (
        abs(image[..., 0] - np.asarray(SCENE.convert("L"))).max() <= 3
    )  # JPEG's rounding


def test_black_and_white_of_one_bit_spans_the_whole_range() -> None:
    image = decode(encoded(Pillow.fromarray(scene_bgr()[..., 2] > 0), "PNG")).image_bgr

    assert set(np.unique(image)) == {0, 255}


@pytest.mark.parametrize("format", ["PNG", "WEBP", "TIFF"])
def test_transparent_parts_show_mid_grey(format: str) -> None:
    see_through = SCENE.convert("RGBA")
    see_through.paste((255, 255, 255, 0), (0, 0, 32, 24))
    options = {"lossless": True} if format == "WEBP" else {}

    assert corners_bgr(
        decode(encoded(see_through, format, **options)).image_bgr
    ) == CORNERS_BGR | {"top_left": (127, 127, 127)}


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize(("orientation", "undone_by"), [
    (1, None), (2, Pillow.Transpose.FLIP_LEFT_RIGHT), (3, Pillow.Transpose.ROTATE_180),
    (4, Pillow.Transpose.FLIP_TOP_BOTTOM), (5, Pillow.Transpose.TRANSPOSE), (6, Pillow.Transpose.ROTATE_90),
    (7, Pillow.Transpose.TRANSVERSE), (8, Pillow.Transpose.ROTATE_270),
])  # fmt: skip
def test_a_picture_that_exif_says_is_turned_comes_out_upright(
    format: str, orientation: int, undone_by: Pillow.Transpose | None
) -> None:
    exif = Pillow.Exif()
    exif[0x0112] = orientation
    stored = SCENE if undone_by is None else SCENE.transpose(undone_by)

    picture = decode(encoded(stored, format, exif=exif))

    assert (picture.width, picture.height) == (64, 48)
    assert corners_bgr(picture.image_bgr) == CORNERS_BGR


def with_lens(**tags: float) -> bytes:
    names = {
        "focal_35mm": 0xA405,
        "focal_mm": 0x920A,
        "per_unit": 0xA20E,
        "unit": 0xA210,
        "width": 0xA002,
        "height": 0xA003,
    }
    exif = Pillow.Exif()
    exif.get_ifd(0x8769).update({names[name]: value for name, value in tags.items()})
    return encoded(SCENE, exif=exif)


@pytest.mark.parametrize(("tags", "focal_px"), [
    ({"focal_35mm": 50}, 50 / 43.267 * 80),  # the diagonal of 64x48 is 80 pixels
    ({"focal_mm": 8.0, "per_unit": 500.0, "unit": 3, "width": 128, "height": 96}, 8 * 50 / 2),  # resized to a half
    ({"focal_mm": 8.0, "per_unit": 254.0, "width": 64, "height": 48}, 8 * 10),  # inches if no unit is said
])  # fmt: skip
def test_the_lens_of_exif_gives_the_intrinsics(
    tags: dict[str, float], focal_px: float
) -> None:
    camera = decode(with_lens(**tags)).camera

    assert camera is not None
    assert (camera.fx, camera.fy, camera.cx, camera.cy) == pytest.approx(
        (focal_px, focal_px, 32, 24), rel=1e-3
    )
    assert camera.source is CameraSource.EXIF


@pytest.mark.parametrize("tags", [
    pytest.param({}, id="nothing said"),
    pytest.param({"focal_35mm": 0}, id="0 means unknown"),
    pytest.param({"focal_mm": 8.0}, id="a focal length without a sensor"),
    pytest.param({"focal_35mm": 50, "width": 640, "height": 640}, id="cropped to another shape"),
    pytest.param({"focal_35mm": 60000}, id="no such lens"),
])  # fmt: skip
def test_a_lens_that_cannot_be_trusted_is_left_out(tags: dict[str, float]) -> None:
    assert decode(with_lens(**tags)).camera is None


def chunk(name: bytes, body: bytes) -> bytes:
    return (
        struct.pack(">I", len(body))
        + name
        + body
        + struct.pack(">I", zlib.crc32(name + body))
    )


def claiming(format: str, width: int, height: int) -> bytes:
    """A few bytes whose header claims a size."""
    if format == "PNG":
        return (
            b"\x89PNG\r\n\x1a\n"
            + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
            + chunk(b"IDAT", zlib.compress(b"\0" * 1000))
            + chunk(b"IEND", b"")
        )
    data = bytearray(encoded(SCENE, format))
    if format == "JPEG":
        at = data.index(b"\xff\xc0")
        data[at + 5 : at + 9] = struct.pack(">HH", height, width)
    if format == "BMP":
        data[18:26] = struct.pack("<ii", width, height)
    if format == "GIF":
        data[6:10] = struct.pack("<HH", width, height)
    if format == "WEBP":
        data[26:30] = struct.pack("<HH", width, height)
    return bytes(data)


@pytest.mark.parametrize(("format", "width", "height"), [
    ("PNG", 50000, 50000), ("JPEG", 65000, 65000), ("BMP", 50000, 50000), ("GIF", 65000, 65000),
    ("WEBP", 16000, 16000),
])  # fmt: skip
def test_a_claim_of_too_many_pixels_is_refused_before_decoding(
    format: str, width: int, height: int
) -> None:
    with pytest.raises(
        TooManyPixels,
        match=f"{width}x{height} is .* megapixels; at most 40 are allowed",
    ):
        decode(claiming(format, width, height))


def test_a_picture_of_exactly_the_allowed_pixels_is_read() -> None:
    assert decode(encoded(SCENE), Limits(max_pixels=64 * 48)).width == 64
    with pytest.raises(TooManyPixels):
        decode(encoded(SCENE), Limits(max_pixels=64 * 48 - 1))


def test_bytes_are_counted_before_they_are_looked_at() -> None:
    with pytest.raises(TooManyBytes, match="5 bytes are more than the 4 allowed"):
        decode(b"what?", Limits(max_bytes=4))
    with pytest.raises(EmptyBody):
        decode(b"")


def animated(format: str) -> bytes:
    return encoded(
        SCENE,
        format,
        save_all=True,
        append_images=[SCENE.transpose(Pillow.Transpose.ROTATE_180)],
    )


@pytest.mark.parametrize("data", [
    pytest.param(animated("GIF"), id="animated gif"),
    pytest.param(animated("WEBP"), id="animated webp"),
    pytest.param(animated("PNG"), id="animated png"),
    pytest.param(b'<svg xmlns="http://www.w3.org/2000/svg"/>', id="svg"),
    pytest.param(b'\xef\xbb\xbf<?xml version="1.0"?><svg/>', id="svg after a byte order mark"),
    pytest.param(b"hello, is this thing on?", id="text"),
    pytest.param("grüße\n".encode() * 500, id="long text, cut in a character"),
    pytest.param(b"%PDF-1.7 \x00\x01", id="pdf"),
    pytest.param(b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00", id="heic"),
    pytest.param(b"\x00\x00\x00\x18ftypisom\x00\x00\x00\x00", id="mp4"),
    pytest.param(encoded(Pillow.new("F", (8, 8)), "TIFF"), id="pixels without a range"),
])  # fmt: skip
def test_what_is_no_still_picture_is_unsupported(data: bytes) -> None:
    with pytest.raises(UnsupportedMedia):
        decode(data)


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF"])
@pytest.mark.parametrize("share", [0.2, 0.5, 0.9])
def test_a_truncated_picture_is_a_bad_image(format: str, share: float) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8)
    data = encoded(noise, format)

    with pytest.raises(BadImage):
        decode(data[: int(len(data) * share)])


def test_a_jpeg_that_lacks_only_its_last_bytes_is_truncated() -> None:
    with pytest.raises(BadImage, match="truncated"):
        decode(encoded(SCENE)[:-2])


def test_the_end_of_a_thumbnail_is_not_the_end_of_the_picture() -> None:
    whole = encoded(SCENE)
    thumbnail = encoded(SCENE.resize((16, 12)))
    comment = b"\xff\xe5" + struct.pack(">H", 2 + len(thumbnail)) + thumbnail
    data = whole[:2] + comment + whole[2:]

    assert corners_bgr(decode(data).image_bgr) == CORNERS_BGR
    with pytest.raises(BadImage, match="truncated"):
        decode(data[:-40])


@pytest.mark.parametrize("tail", [b"\0" * 100, b"trailing", encoded(SCENE)])
def test_bytes_after_the_end_of_a_jpeg_do_no_harm(tail: bytes) -> None:
    assert corners_bgr(decode(encoded(SCENE) + tail).image_bgr) == CORNERS_BGR


def test_a_photo_with_further_pictures_behind_it_is_its_first() -> None:
    """Phones store depth or gain maps so (MPO)."""
    data = encoded(SCENE, "MPO", save_all=True, append_images=[SCENE.resize((32, 24))])

    assert corners_bgr(decode(data).image_bgr) == CORNERS_BGR


def test_the_first_page_of_a_tiff_is_read() -> None:
    data = encoded(SCENE, "TIFF", save_all=True, append_images=[SCENE.resize((32, 24))])

    assert decode(data).width == 64


def test_a_jpeg_of_endless_scans_is_refused() -> None:
    data = encoded(SCENE, progressive=True)
    scan = data.rindex(b"\xff\xda")

    with pytest.raises(BadImage, match="more than 200 scans"):
        decode(data[:-2] + data[scan:-2] * 300 + data[-2:])


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(["JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF"]), st.data())
def test_damage_anywhere_gives_a_picture_or_a_named_fault(
    format: str, data: st.DataObject
) -> None:
    damaged = bytearray(encoded(SCENE.resize((16, 12)), format))
    for _ in range(data.draw(st.integers(1, 8))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(
            st.integers(0, 255)
        )

    try:
        picture = decode(bytes(damaged), Limits(max_pixels=1_000_000))
    except (BadImage, TooManyPixels, UnsupportedMedia):
        return
    assert picture.image_bgr.shape[2] == 3


@given(st.binary(max_size=200))
def test_any_bytes_give_a_named_fault(data: bytes) -> None:
    with pytest.raises((BadImage, EmptyBody, UnsupportedMedia, TooManyPixels)):
        decode(data)
