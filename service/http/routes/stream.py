"""`WS /v1/stream`: video frames in, people with ids out."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final
from urllib.parse import urlsplit

from fastapi import APIRouter, FastAPI
from starlette.responses import Response
from starlette.websockets import WebSocket, WebSocketDisconnect

from posecascade.service.errors import Forbidden, PoseCascadeError
from posecascade.service.http.parameters import once_each
from posecascade.service.settings import Settings
from posecascade.service.state import Service
from posecascade.service.streams.connection import StreamConnection
from posecascade.service.streams.counts import Counts, StreamMetrics
from posecascade.service.streams.registry import Streams
from posecascade.service.streams.settings import StreamSettings
from posecascade.service.wire.encoding import PROBLEM, encoded
from posecascade.service.wire.problem import Problem
from posecascade.service.wire.stream_messages import (
    SUBPROTOCOL,
    Close,
    Fault,
    Flow,
    Limits,
    start_of,
)

_HANGUPS: Final = {503: Close.LATER, 429: Close.LATER}
"""What a refusal becomes for a browser, which cannot see the status; else `Close.POLICY`."""


_LINGER_S: Final = 0.05
"""uvicorn 0.54 logs an error for a handshake refused with a body, unless the connection is down when we return."""


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[dict[str, Streams]]:
    service: Service = app.state.service
    streams = Streams(
        service.settings.max_streams, StreamMetrics(service.metrics.registry)
    )
    async with streams.running():
        yield {"streams": streams}


router = APIRouter(lifespan=_lifespan)


@router.websocket("/v1/stream")
async def stream(socket: WebSocket) -> None:
    """Accepts the stream, or refuses it with the reason."""
    service = Service.of(socket)
    streams = _streams_of(socket)
    name = uuid.uuid4().hex
    try:
        _check_origin(socket, service.settings.allowed_origins)
        query = once_each(socket.query_params.multi_items())
        service.keyring.admit(
            socket.headers.get("authorization"), "stream", key=query.pop("key", None)
        )
        service.engine.admit()
        stream_settings = StreamSettings(service.engine.policies)
        requested = start_of(query)
        stream_settings.change(requested.settings)
        with streams.place():
            await socket.accept(_subprotocol(socket))
            await StreamConnection(
                socket,
                service.engine,
                stream_settings,
                Flow().changed(requested) if query else None,
                _limits(service.settings),
                Counts(streams.metrics),
                name,
                streams.closing,
            ).run()
    except PoseCascadeError as error:
        await _refuse(socket, error, name)


def _streams_of(socket: WebSocket) -> Streams:
    streams: Streams = socket.state.streams
    return streams


def _limits(settings: Settings) -> Limits:
    return Limits(max_bytes=settings.max_bytes, max_pixels=settings.max_pixels)


def _subprotocol(socket: WebSocket) -> str | None:
    return SUBPROTOCOL if SUBPROTOCOL in socket.scope.get("subprotocols", ()) else None


def _check_origin(socket: WebSocket, allowed: tuple[str, ...]) -> None:
    """Browsers let every page open a WebSocket to everywhere; only the server can say no.

    Raises:
        Forbidden: origins are listed, and this is neither our own page nor one of them.
    """
    origin = socket.headers.get("origin")
    if origin is None or not allowed or "*" in allowed or origin in allowed:
        return
    if urlsplit(origin).netloc != socket.headers.get("host"):
        raise Forbidden(
            f"the web origin {origin[:80]!r} may not be used here; see allowed_origins"
        )


async def _refuse(socket: WebSocket, error: PoseCascadeError, name: str) -> None:
    """By status where the client can see it. A browser cannot: there the words come as a message, before the close."""
    if "origin" not in socket.headers and "websocket.http.response" in socket.scope.get(
        "extensions", {}
    ):
        headers = error.headers | {"X-Request-Id": name}
        body = encoded(Problem.of(error, name))
        await socket.send_denial_response(
            Response(body, error.status, headers, PROBLEM)
        )
        await asyncio.sleep(_LINGER_S)
        return
    with suppress(WebSocketDisconnect):
        await socket.accept(_subprotocol(socket))
        await socket.send_text(Fault.of(error, name).model_dump_json())
        await socket.close(_HANGUPS.get(error.status, Close.POLICY), error.title)
