"""What runs here: stages, licences, versions."""

import platform
from importlib.metadata import PackageNotFoundError, version
from typing import Final

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from posecascade.service.http.openapi import described
from posecascade.service.state import Service
from posecascade.service.wire.encoding import JSON, encoded
from posecascade.service.wire.model import LicenceReply, MetadataReply, ModelReply
from posecascade.service.wire.poses import ModelInfo

router = APIRouter()
_PACKAGES: Final = (
    "fastapi",
    "numpy",
    "onnxruntime",
    "opencv-python-headless",
    "pillow",
    "uvicorn",
)


@router.get("/v1/model", **described("model", "What runs here", ModelReply, 503))
async def model(request: Request) -> Response:
    """Stages, sizes, costs, policies, the promise, and what each stage really runs on."""
    service = Service.of(request)
    engine = service.engine
    reply = ModelReply.of(
        engine.manifest,
        providers=engine.providers(),
        policies=engine.policies,
        runtime=service.settings.runtime,
    )
    return Response(encoded(reply), media_type=JSON)


@router.get("/v1/license", **described("license", "Licences", LicenceReply, 503))
async def licence(request: Request) -> Response:
    """Terms of the program and of every weight, and where each comes from."""
    return Response(
        encoded(LicenceReply.of(Service.of(request).engine.manifest)), media_type=JSON
    )


@router.get("/v1/metadata", **described("metadata", "Versions", MetadataReply, 503))
async def metadata(request: Request) -> Response:
    """Versions of the program, its weights and what it stands on."""
    info = ModelInfo.of(Service.of(request).engine.manifest)
    packages = {name: _version(name) for name in _PACKAGES} | {
        "python": platform.python_version()
    }
    reply = MetadataReply(
        name="posecascade",
        version=_version("posecascade"),
        api="v1",
        model=info,
        packages=packages,
    )
    return Response(encoded(reply), media_type=JSON)


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
