"""What Prometheus collects."""

from fastapi import APIRouter
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from starlette.requests import Request
from starlette.responses import Response

from posecascade.service.http.openapi import METRICS
from posecascade.service.state import Service

router = APIRouter()


@router.get("/metrics", include_in_schema=False)
@router.get("/v1/metrics", **METRICS)
async def metrics(request: Request) -> Response:
    """Requests, people, stages, queues and latencies, as Prometheus text."""
    return Response(
        generate_latest(Service.of(request).metrics.registry),
        media_type=CONTENT_TYPE_PLAIN_0_0_4,
    )
