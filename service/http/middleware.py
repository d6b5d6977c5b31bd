"""Around every request: its id, its metrics, and the last word on what went wrong."""

import logging
import re
import time
import uuid
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from posecascade.service.errors import Forbidden, Internal, PoseCascadeError
from posecascade.service.metrics import Metrics
from posecascade.service.wire.encoding import PROBLEM, encoded
from posecascade.service.wire.problem import Problem

log = logging.getLogger(__name__)
_WELL_FORMED: Final = re.compile(r"[A-Za-z0-9._~:/+=@-]{1,128}")


def problem_response(request: Request, error: PoseCascadeError) -> Response:
    """An error as every client gets it."""
    request.state.code = error.code
    problem = Problem.of(error, request.state.request_id)
    return Response(encoded(problem), error.status, error.headers, PROBLEM)


class RequestContext:
    """Pure ASGI: it must see streaming bodies and disconnects as they are."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began_s = time.perf_counter()
        status = 0
        request = Request(scope, receive)
        request.state.request_id = _request_id(request.headers)
        request.state.code = ""
        MutableHeaders(scope=scope)["x-request-id"] = (
            request.state.request_id
        )  # whoever asks finds the same

        async def send_named(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["X-Request-Id"] = request.state.request_id
            await send(message)

        try:
            await self._app(scope, receive, send_named)
        except Exception:
            log.exception(
                "a defect answered %s %s (%s)",
                request.method,
                scope["path"],
                request.state.request_id,
            )
            if not status:
                await problem_response(
                    request,
                    Internal(
                        "a defect of ours; it is in the log under this request id"
                    ),
                )(scope, receive, send_named)
        finally:
            self._count(
                scope, status, time.perf_counter() - began_s, request.state.code
            )

    def _count(self, scope: Scope, status: int, seconds: float, code: str) -> None:
        route = getattr(
            scope.get("route"), "path", "other"
        )  # the template: a made-up path must not become a label
        self._metrics.requests.labels(route, str(status), code).inc()
        self._metrics.request_seconds.labels(route).observe(seconds)


class Cors(CORSMiddleware):
    """Starlette's, but an origin that is not allowed gets a problem document like everybody else."""

    def preflight_response(self, request_headers: Headers) -> Response:
        response = super().preflight_response(request_headers)
        if response.status_code < 400:
            return response
        error = Forbidden(
            "this web origin, method or header may not be used here; see allowed_origins"
        )
        headers = {"Vary": "Origin"} | error.headers
        return Response(
            encoded(Problem.of(error, _request_id(request_headers))),
            error.status,
            headers,
            PROBLEM,
        )


def _request_id(headers: Headers) -> str:
    """The client's own if it is well formed, else a new one."""
    sent = headers.get("x-request-id", "")
    return sent if _WELL_FORMED.fullmatch(sent) else uuid.uuid4().hex
