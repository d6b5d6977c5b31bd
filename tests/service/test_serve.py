"""The server around the application, on a real socket."""

import asyncio
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
import uvicorn

from posecascade.service.app import create_app
from posecascade.service.commands.serve import Server
from posecascade.service.settings import Settings
from tests.doubles import FakeCascade
from tests.pictures import encoded, scene_bgr


class Announced(Server):
    """Tells when it listens."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.listening = asyncio.Event()

    async def startup(self, sockets: Any = None) -> None:
        await super().startup(sockets)
        self.listening.set()


async def status_becomes(client: httpx.AsyncClient, status: int) -> httpx.Response:
    """The first answer of `ready` with this status."""
    while (answer := await client.get("/v1/health/ready")).status_code != status:  # noqa: ASYNC110  # one has to ask
        await asyncio.sleep(0.01)
    return answer


@asynccontextmanager
async def serving(settings: Settings):
    """The running server, ready, and a client of it."""
    app = create_app(settings, cascade_loader=lambda _: FakeCascade())
    server = Announced(
        uvicorn.Config(app, port=0, log_level="warning", ws="websockets-sansio"),
        app.state.service,
    )
    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        group.create_task(
            server._serve()
        )  # serve() without the signal handlers, which are the process's own
        await server.listening.wait()
        port = server.servers[0].sockets[0].getsockname()[1]
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
            await status_becomes(client, 200)
            try:
                yield server, client
            finally:
                server.should_exit = True


async def test_a_photo_is_answered_over_a_real_connection():
    async with serving(Settings()) as (_, client):
        answer = await client.post(
            "/v1/poses",
            content=encoded(scene_bgr()),
            headers={"Content-Type": "image/jpeg"},
        )

    assert answer.status_code == 200
    assert len(answer.json()["people"]) == 2


async def test_before_it_closes_it_says_for_a_while_that_it_is_not_ready():
    async with serving(Settings(drain_s=0.5)) as (server, client):
        server.should_exit = True
        answer = await status_becomes(client, 503)

    assert answer.json()["code"] == "draining"


async def test_after_it_closed_nobody_answers():
    async with serving(Settings()) as (_, client):
        url = client.base_url

    async with httpx.AsyncClient(base_url=url) as late:
        with pytest.raises(httpx.ConnectError):
            await late.get("/v1/health/live")
