"""A client that goes away in the middle, over a real socket: it costs nothing more and harms nobody."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest
import uvicorn

from posecascade.models.records import Stage
from posecascade.service.app import create_app
from posecascade.service.metrics import Metrics
from posecascade.service.settings import Settings
from tests.doubles import FakeCascade
from tests.eventually import until
from tests.pictures import encoded, scene_bgr

PICTURE = encoded(scene_bgr())


def request(length: int = len(PICTURE)) -> bytes:
    return (
        b"POST /v1/poses HTTP/1.1\r\nHost: service\r\nContent-Type: image/jpeg\r\n"
        b"Content-Length: %d\r\n\r\n" % length
    )


@dataclass(frozen=True)
class Listening:
    """A service on a free port of a real server."""

    port: int
    metrics: Metrics

    async def notices(self) -> None:
        """Returns once the service knows that a client left: that comes through the kernel, when it comes."""
        labels = {"route": "/v1/poses", "status": "499", "code": "client_gone"}
        await until(
            lambda: (
                self.metrics.registry.get_sample_value(
                    "posecascade_requests_total", labels
                )
                == 1
            )
        )


@asynccontextmanager
async def listening(cascade: FakeCascade) -> AsyncIterator[Listening]:
    app = create_app(Settings(), cascade_loader=lambda _: cascade)  # type: ignore[arg-type,return-value]
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, ws="none"))
    serving = asyncio.create_task(server.serve())
    await until(lambda: server.started and app.state.service.engine.refusal() is None)
    try:
        yield Listening(
            server.servers[0].sockets[0].getsockname()[1], app.state.service.metrics
        )
    finally:
        server.should_exit = True
        await serving


async def requested(port: int) -> dict[str, object]:
    """A whole request and its answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request().replace(b"Host", b"Connection: close\r\nHost") + PICTURE)
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    assert answer.startswith(b"HTTP/1.1 200"), answer
    reply: dict[str, object] = json.loads(answer.partition(b"\r\n\r\n")[2])
    return reply


async def test_a_client_that_leaves_mid_frame_costs_no_deeper_look() -> None:
    cascade = FakeCascade()
    coarse = cascade.runners[Stage.COARSE]
    refine = cascade.runners[Stage.REFINE]
    async with listening(cascade) as service:
        coarse.gate.clear()
        _, writer = await asyncio.open_connection("127.0.0.1", service.port)
        writer.write(request() + PICTURE)
        await asyncio.to_thread(coarse.began.acquire)
        writer.transport.abort()
        await service.notices()
        coarse.gate.set()
        reply = await requested(service.port)

    assert len(reply["people"]) == 2  # type: ignore[arg-type]
    assert refine.seen == [2]  # the second client's people only


async def test_a_client_that_waits_in_the_queue_and_leaves_costs_nothing() -> None:
    cascade = FakeCascade()
    coarse = cascade.runners[Stage.COARSE]
    async with listening(cascade) as service:
        coarse.gate.clear()
        stays = asyncio.create_task(requested(service.port))
        await asyncio.to_thread(coarse.began.acquire)
        _, writer = await asyncio.open_connection("127.0.0.1", service.port)
        writer.write(request() + PICTURE)
        await until(lambda: len(cascade.requested) == 2)
        writer.transport.abort()
        await service.notices()
        coarse.gate.set()
        await stays

    assert coarse.seen == [1]


@pytest.mark.parametrize("sent", [b"", PICTURE[:50]])
async def test_a_client_that_leaves_mid_body_harms_nobody(sent: bytes) -> None:
    cascade = FakeCascade()
    async with listening(cascade) as service:
        _, writer = await asyncio.open_connection("127.0.0.1", service.port)
        writer.write(request() + sent)
        await writer.drain()
        writer.transport.abort()
        await requested(service.port)

    assert len(cascade.requested) == 1


async def test_a_body_over_the_limit_is_answered_while_it_is_still_being_sent() -> None:
    async with listening(FakeCascade()) as service:
        reader, writer = await asyncio.open_connection("127.0.0.1", service.port)
        writer.write(request(length=10**12))
        answer = (
            await reader.read()
        )  # to the end: the connection is closed, since the body was not read
        writer.close()

    assert answer.startswith(b"HTTP/1.1 413")
    assert b"too_many_bytes" in answer
