"""Whether the process lives, and whether it serves. Probes may ask with HEAD."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from posecascade.service.engine.engine import State
from posecascade.service.http.openapi import described
from posecascade.service.state import Service
from posecascade.service.wire.encoding import JSON, encoded
from posecascade.service.wire.model import LiveReply, ReadyReply, StageHealth

router = APIRouter()


@router.head("/v1/health/live", include_in_schema=False)
@router.get(
    "/v1/health/live",
    **described("live", "Is the process worth keeping?", LiveReply, 503),
)
async def live(request: Request) -> Response:
    """200 while the process can still become or stay ready; 503 when only a restart helps."""
    engine = Service.of(request).engine
    if engine.state is State.FAILED:
        engine.admit()
    return Response(encoded(LiveReply(status="live")), media_type=JSON)


@router.head("/v1/health/ready", include_in_schema=False)
@router.get(
    "/v1/health/ready", **described("ready", "Are requests served?", ReadyReply, 503)
)
async def ready(request: Request) -> Response:
    """200 while pictures are answered; 503 while starting, draining or broken. A deeper stage that fails does not make
    it unready: people keep their shallower answer."""
    engine = Service.of(request).engine
    engine.admit()
    providers = engine.providers()
    failures = engine.failures()
    stages = {
        stage: StageHealth(provider=providers[stage], failures=failures[stage])
        for stage in providers
    }
    return Response(encoded(ReadyReply(status="ready", stages=stages)), media_type=JSON)
