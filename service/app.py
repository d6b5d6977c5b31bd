"""The application factory: settings in, a service out."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.staticfiles import StaticFiles

from posecascade.models.cascade.cascade import Cascade
from posecascade.service.engine.engine import Engine
from posecascade.service.errors import MethodNotAllowed, NotFound, PoseCascadeError
from posecascade.service.http.auth import Keyring
from posecascade.service.http.middleware import Cors, RequestContext, problem_response
from posecascade.service.http.openapi import document
from posecascade.service.http.routes import health, metrics, model, page, poses, stream
from posecascade.service.metrics import Metrics
from posecascade.service.settings import Settings
from posecascade.service.state import Service


def load_cascade(settings: Settings) -> Cascade:
    """The cascade that the settings name."""
    return Cascade.load(
        settings.weights, runtime=settings.runtime, threads=settings.threads
    )


def create_app(
    settings: Settings | None = None,
    *,
    cascade_loader: Callable[[Settings], Cascade] = load_cascade,
) -> FastAPI:
    """The service as an ASGI application. It loads when it is started, and answers `starting` until it is warm.

    Args:
        settings: by default those of the environment.
        cascade_loader: called once, in a thread.
    """
    settings = settings or Settings()
    measures = Metrics()
    engine = Engine(settings, lambda: cascade_loader(settings), measures)
    service = Service(settings, engine, Keyring(settings.keys), measures)
    app = FastAPI(
        title="posecascade",
        version="1",
        lifespan=_lifespan,
        docs_url="/docs",
        redoc_url=None,
        openapi_url="/v1/openapi.json",
        swagger_ui_oauth2_redirect_url=None,
        redirect_slashes=False,
    )
    app.state.service = service
    for module in (poses, stream, health, model, metrics, page):
        app.include_router(module.router)
    if settings.page.is_dir():
        app.mount("/page", StaticFiles(directory=settings.page))
    _answer_errors(app)
    if settings.allowed_origins:
        app.add_middleware(
            Cors,
            allow_origins=settings.allowed_origins,
            allow_methods=["GET", "POST"],
            allow_headers=["authorization", "content-type", "x-request-id"],
            expose_headers=["x-request-id", "retry-after"],
        )
    app.add_middleware(
        RequestContext, metrics=measures
    )  # added last: it stands outermost
    app.openapi = lambda: _described(app)  # type: ignore[method-assign]
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    service: Service = app.state.service
    async with service.engine.running():
        yield


def _answer_errors(app: FastAPI) -> None:
    @app.exception_handler(PoseCascadeError)
    async def ours(request: Request, error: PoseCascadeError) -> Response:
        return problem_response(request, error)

    @app.exception_handler(HTTPException)
    async def of_the_router(request: Request, error: HTTPException) -> Response:
        return problem_response(request, _translated(request, error))


def _translated(request: Request, error: HTTPException) -> PoseCascadeError:
    """What the router and the static files raise, as one of ours."""
    path = request.scope["path"][
        :80
    ]  # not request.url: a strange Host header cannot be parsed
    if error.status_code == 405:
        allow = (error.headers or {}).get("Allow", "GET")
        return MethodNotAllowed(
            f"{request.method} is not known at {path!r}; {allow} is", allow=allow
        )
    return NotFound(
        f"there is nothing at {path!r}; the interface is described at /docs"
    )


def _described(app: FastAPI) -> dict[str, Any]:
    if app.openapi_schema is None:
        app.openapi_schema = document(app)
    return app.openapi_schema
