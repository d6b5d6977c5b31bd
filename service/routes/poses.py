"""`POST /v1/poses`: one picture in, people out."""

import time

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from service.accept import negotiated
from service.body import picture_of
from service.openapi import POSES
from service.parameters import Asked, once_each, parse_options
from service.presence import unless_gone
from service.schema import JSON, MSGPACK, FrameReply, ModelInfo, encoded
from service.state import Service
from service.timing import accounted

router = APIRouter()


@router.post("/v1/poses", **POSES)
async def poses(request: Request) -> Response:
    """The people in a picture: their joints in pixels and in camera space, each with its uncertainty."""
    service = Service.of(request)
    service.keyring.admit(request.headers.get("authorization"), "poses")
    service.engine.admit()
    media_type = negotiated(", ".join(request.headers.getlist("accept")), (JSON, MSGPACK))
    asked = parse_options(once_each(request.query_params.multi_items()), service.engine.policies)
    async with service.place():
        settings = service.settings
        data = await picture_of(request, max_bytes=settings.max_bytes, timeout_s=settings.body_timeout_s)
        reply = await unless_gone(request, _answered(service, data, asked))
    return Response(encoded(reply, media_type), media_type=media_type)


async def _answered(service: Service, data: bytes, asked: Asked) -> FrameReply:
    began_s = time.perf_counter()
    picture = await service.engine.decode(data)
    decoded_s = time.perf_counter()
    options = asked.options_for(width=picture.width, height=picture.height, exif=picture.camera)
    frame = await service.engine.infer(picture.image_bgr, options)
    parts_ms = frame.timing_ms | {
        "decode": (decoded_s - began_s) * 1000 - picture.queued_ms,
        "queue": frame.timing_ms["queue"] + picture.queued_ms,
    }
    return FrameReply.of(frame, skeleton=asked.skeleton, model=ModelInfo.of(service.engine.manifest),
                         timing_ms=accounted(parts_ms, (time.perf_counter() - began_s) * 1000))
