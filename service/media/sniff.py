"""The media type of bytes, before anything else reads them."""

from typing import Final

SUPPORTED: Final = ("JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF")
_WANT: Final = "want JPEG, PNG, WebP, BMP, TIFF or a still GIF"
_FOREIGN: Final = (  # offset, bytes, what it is
    (0, b"%PDF", "a PDF"),
    (4, b"ftypavif", "an AVIF picture"),
    (4, b"ftypheic", "an HEIC picture"),
    (4, b"ftypheix", "an HEIC picture"),
    (4, b"ftypmif1", "an HEIF picture"),
    (4, b"ftypmsf1", "an HEIF picture"),
    (4, b"ftyp", "an MP4 or QuickTime video"),
    (0, b"\x1aE\xdf\xa3", "a Matroska or WebM video"),
    (0, b"\x00\x00\x00\x0cjP", "a JPEG 2000 picture"),
    (0, b"\xffO\xffQ", "a JPEG 2000 picture"),
    (0, b"\xff\x0a", "a JPEG XL picture"),
    (0, b"\x00\x00\x00\x0cJXL", "a JPEG XL picture"),
    (0, b"8BPS", "a Photoshop document"),
    (0, b"PK\x03\x04", "a ZIP archive"),
    (0, b"\x1f\x8b", "gzip"),
)


def reason_unsupported(data: bytes) -> str | None:
    """Why bytes of a known kind are not read here; None for pictures and for bytes of no known kind."""
    for offset, magic, name in _FOREIGN:
        if data.startswith(magic, offset):
            return f"{_WANT}, got {name}"
    head = data[:1024]
    if b"<svg" in head.lower() or head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(
        b"<?xml"
    ):
        return f"{_WANT}, got SVG or XML; render it to PNG first"
    return f"{_WANT}, got text" if _is_text(head) else None


def _is_text(head: bytes) -> bool:
    """No control characters but white space, and valid UTF-8 but for a character cut off at the end."""
    if any(byte < 0x20 and byte not in b"\t\n\r\f\x1b" for byte in head):
        return False
    try:
        head.decode()
    except UnicodeDecodeError as error:
        return error.start >= len(head) - 3 and len(head) == 1024
    return True


def webp_size(data: bytes) -> tuple[int, int] | None:
    """(width, height) that the header of a WebP claims; None for other bytes.

    Source: RFC 9649, sections 2.5 to 2.7.
    """
    if not (
        data.startswith(b"RIFF") and data.startswith(b"WEBP", 8) and len(data) >= 30
    ):
        return None
    chunk = data[12:16]
    body = data[20:30]
    if chunk == b"VP8X":
        return 1 + int.from_bytes(body[4:7], "little"), 1 + int.from_bytes(
            body[7:10], "little"
        )
    if chunk == b"VP8L":
        bits = int.from_bytes(body[1:5], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    return int.from_bytes(body[6:8], "little") & 0x3FFF, int.from_bytes(
        body[8:10], "little"
    ) & 0x3FFF
