"""The picture in a request: raw or as the part of a form, within limits of size and time."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from python_multipart import MultipartParser
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import parse_options_header
from starlette.requests import ClientDisconnect, Request

from posecascade.service.errors import (
    BadImage,
    BadParameter,
    BodyTimeout,
    ClientGone,
    EmptyBody,
    TooManyBytes,
    UnsupportedMedia,
)

_FORM: Final = "multipart/form-data"
_FRAMING: Final = 16 * 1024
"""What a form may add around its picture."""
_UNREAD: Final = (
    "image/svg+xml",
    "image/avif",
    "image/heic",
    "image/heif",
    "image/jxl",
    "image/jp2",
)


async def read_image(request: Request, *, max_bytes: int, timeout_s: float) -> bytes:
    """The bytes of the picture, as sent.

    Raises:
        EmptyBody, UnsupportedMedia, TooManyBytes, BodyTimeout, BadImage, BadParameter, ClientGone: see each.
    """
    media, options = parse_options_header(request.headers.get("content-type"))
    kind = media.decode("latin-1").lower()
    _check_headers(request, kind)
    if kind != _FORM:
        return await _read(request, max_bytes=max_bytes, timeout_s=timeout_s)
    body = await _read(request, max_bytes=max_bytes + _FRAMING, timeout_s=timeout_s)
    return await asyncio.to_thread(_image_part, body, options.get(b"boundary", b""))


def _check_headers(request: Request, kind: str) -> None:
    length = request.headers.get("content-length")
    chunked = "transfer-encoding" in request.headers
    if not chunked and length in (None, "0"):
        raise EmptyBody("want the bytes of a picture in the body, got none")
    if kind != _FORM and (not kind.startswith("image/") or kind in _UNREAD):
        raise UnsupportedMedia(
            f"want Content-Type image/jpeg, png, webp, bmp, tiff or gif, or {_FORM}; "
            f"got {kind[:80] or 'none'!r}"
        )
    coding = request.headers.get("content-encoding", "identity")
    if coding.lower() != "identity":
        raise UnsupportedMedia(
            f"want the picture as it is, without Content-Encoding; got {coding[:80]!r}"
        )


async def _read(request: Request, *, max_bytes: int, timeout_s: float) -> bytes:
    """The whole body. Stops reading at the limits."""
    length = request.headers.get("content-length", "")
    if length.isdecimal() and int(length) > max_bytes:
        raise TooManyBytes(
            f"{length} bytes are announced; at most {max_bytes} are allowed"
        )
    body = bytearray()
    try:
        async with asyncio.timeout(timeout_s):
            async for chunk in request.stream():
                body += chunk
                if len(body) > max_bytes:
                    raise TooManyBytes(
                        f"more than the {max_bytes} bytes allowed have come"
                    )
    except TimeoutError:
        raise BodyTimeout(
            f"{len(body)} bytes came within the {timeout_s:g} s allowed, and not the end"
        ) from None
    except ClientDisconnect:
        raise ClientGone("the client left in the middle of the body") from None
    if not body:
        raise EmptyBody("want the bytes of a picture in the body, got none")
    return bytes(body)


@dataclass(slots=True)
class _Part:
    """Of a form."""

    disposition: bytes = b""
    header: bytes = b""
    data: list[bytes] = field(default_factory=list)

    @property
    def name(self) -> str:
        return (
            parse_options_header(self.disposition)[1]
            .get(b"name", b"")
            .decode(errors="replace")
        )


@dataclass(slots=True)
class _Form:
    """Collects the parts as the parser finds them; copies each byte once."""

    parts: list[_Part] = field(default_factory=list)
    complete: bool = False
    """The closing boundary came."""

    def callbacks(self) -> dict[str, Callable[..., None]]:
        return {
            "on_part_begin": self._begin,
            "on_header_field": self._header_field,
            "on_header_value": self._header_value,
            "on_header_end": self._header_end,
            "on_part_data": self._data,
            "on_end": self._end,
        }

    def _end(self) -> None:
        self.complete = True

    def _begin(self) -> None:
        self.parts.append(_Part())

    def _header_field(self, data: bytes, start: int, end: int) -> None:
        self.parts[-1].header += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        if self.parts[-1].header.lower() == b"content-disposition":
            self.parts[-1].disposition += data[start:end]

    def _header_end(self) -> None:
        self.parts[-1].header = b""

    def _data(self, data: bytes, start: int, end: int) -> None:
        self.parts[-1].data.append(data[start:end])


def _image_part(body: bytes, boundary: bytes) -> bytes:
    """The data of the one part `image`."""
    form = _Form()
    try:
        parser = MultipartParser(boundary, form.callbacks())  # type: ignore[arg-type]  # a TypedDict of the same keys
        parser.write(body)
    except (FormParserError, ValueError) as error:
        raise BadImage(f"the multipart form is damaged: {error}") from error
    if not form.complete:
        raise BadImage(
            "the multipart form is truncated: its closing boundary is missing"
        )
    for index, part in enumerate(form.parts):
        if part.name != "image" or index:
            raise BadParameter(
                part.name,
                "a part of the form",
                "one part named `image`; settings go into the query",
            )
    if not form.parts:
        raise BadParameter("image", "", "a part of the form that holds the picture")
    return b"".join(form.parts[0].data)
