"""A whole service around a fake cascade, asked over HTTP."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import httpx
import pytest
from fastapi import FastAPI

from posecascade.service.app import create_app
from posecascade.service.engine.engine import State
from posecascade.service.settings import Settings
from tests.doubles import FakeCascade
from tests.eventually import until

Serve = Callable[..., AbstractAsyncContextManager[httpx.AsyncClient]]


@asynccontextmanager
async def running(
    app: FastAPI, *, ready: bool = True, patience_s: float = 5
) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the app, which has started up."""
    async with app.router.lifespan_context(app):
        if ready:
            await until(
                lambda: app.state.service.engine.state is not State.STARTING,
                seconds=patience_s,
            )
        transport = httpx.ASGITransport(app, raise_app_exceptions=True)
        async with httpx.AsyncClient(
            transport=transport, base_url="http://service"
        ) as client:
            yield client


@pytest.fixture
def cascade() -> FakeCascade:
    return FakeCascade()


@pytest.fixture
def serve(cascade: FakeCascade) -> Serve:
    """`serve(keys=..., max_bytes=...)`: a client of a service with those settings."""

    def started(
        *, ready: bool = True, **settings: object
    ) -> AbstractAsyncContextManager[httpx.AsyncClient]:
        app = create_app(
            Settings.model_validate(settings), cascade_loader=lambda _: cascade
        )  # type: ignore[arg-type,return-value]
        return running(app, ready=ready)

    return started


@pytest.fixture
async def client(serve: Serve) -> AsyncIterator[httpx.AsyncClient]:
    async with serve() as client:
        yield client


@pytest.fixture(autouse=True)
def nothing_is_logged_as_a_crash(
    request: pytest.FixtureRequest, caplog: pytest.LogCaptureFixture
) -> object:
    """Whatever clients send is no error of ours. Tests of failing stages are marked."""
    yield
    if "stage_failure" not in request.fixturenames:
        crashes = [
            r.getMessage()
            for r in caplog.get_records("call")
            if r.levelname in ("ERROR", "CRITICAL")
        ]
        assert crashes == []


@pytest.fixture
def stage_failure() -> None:
    """Says that the test lets a stage fail, which is rightly logged."""
