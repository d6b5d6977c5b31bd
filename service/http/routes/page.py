"""The live page at `/`; its assets lie under `/page`."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import FileResponse

from posecascade.service.errors import NotFound
from posecascade.service.state import Service

router = APIRouter()


@router.get("/", include_in_schema=False)
async def page(request: Request) -> FileResponse:
    """The page."""
    index = Service.of(request).settings.page / "index.html"
    if not index.is_file():
        raise NotFound("there is no page here; the interface is described at /docs")
    return FileResponse(index)
