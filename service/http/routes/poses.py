"""`POST /v1/poses`: one picture in, people out."""

import time

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from posecascade.service.http.disconnect import cancel_on_disconnect
from posecascade.service.http.negotiation import negotiate
from posecascade.service.http.openapi import POSES
from posecascade.service.http.parameters import RequestOptions, once_each, parse_options
from posecascade.service.http.upload import read_image
from posecascade.service.state import Service
from posecascade.service.wire.encoding import JSON, MSGPACK, encoded
from posecascade.service.wire.poses import FrameReply, ModelInfo
from posecascade.service.wire.timing import accounted

router = APIRouter()


@router.post("/v1/poses", **POSES)
async def poses(request: Request) -> Response:
    """The people in a picture: their joints in pixels and in camera space, each with its uncertainty."""
    service = Service.of(request)
    service.keyring.admit(request.headers.get("authorization"), "poses")
    service.engine.admit()
    media_type = negotiate(
        ", ".join(request.headers.getlist("accept")), (JSON, MSGPACK)
    )
    requested = parse_options(
        once_each(request.query_params.multi_items()), service.engine.policies
    )
    async with service.place():
        settings = service.settings
        data = await read_image(
            request, max_bytes=settings.max_bytes, timeout_s=settings.body_timeout_s
        )
        reply = await cancel_on_disconnect(request, _answered(service, data, requested))
    return Response(encoded(reply, media_type), media_type=media_type)


async def _answered(
    service: Service, data: bytes, requested: RequestOptions
) -> FrameReply:
    began_s = time.perf_counter()
    picture = await service.engine.decode(data)
    decoded_s = time.perf_counter()
    options = requested.options_for(
        width=picture.width, height=picture.height, exif=picture.camera
    )
    frame = await service.engine.infer(picture.image_bgr, options)
    parts_ms = frame.timing_ms | {
        "decode": (decoded_s - began_s) * 1000 - picture.queued_ms,
        "queue": frame.timing_ms["queue"] + picture.queued_ms,
    }
    return FrameReply.of(
        frame,
        skeleton=requested.skeleton,
        model=ModelInfo.of(service.engine.manifest),
        timing_ms=accounted(parts_ms, (time.perf_counter() - began_s) * 1000),
    )
