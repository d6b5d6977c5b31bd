"""The interface's description: every answer and every error, generated from the records that make them."""

from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from posecascade.service import errors
from posecascade.service.errors import PoseCascadeError
from posecascade.service.http.parameters import Parameters
from posecascade.service.wire.encoding import JSON, MSGPACK, PROBLEM, Wire
from posecascade.service.wire.poses import FrameReply
from posecascade.service.wire.problem import Problem

PICTURES: Final = (
    "image/jpeg",
    "image/png",
    "image/webp",
    "image/bmp",
    "image/tiff",
    "image/gif",
)
_DESCRIPTION: Final = """\
3D poses of every person in a picture, in millimetres and camera space, each joint with its uncertainty.

Every error is an `application/problem+json` (RFC 9457) with a stable `code`; every answer carries `X-Request-Id`.
Camera space: x right, y down, z forward. Pixels are those of the picture as people see it, EXIF orientation applied.
"""
_REQUEST_ID: Final = {
    "X-Request-Id": {
        "description": "The request's own if well formed, else a new one",
        "schema": {"type": "string"},
    }
}
_RETRY: Final = {
    "Retry-After": {
        "description": "Seconds",
        "schema": {"type": "integer", "minimum": 1},
    }
}

_BOUNDS: Final = ("type", "enum", "default", "minimum", "maximum", "exclusiveMinimum")
_REGION: Final = {
    "type": "string",
    "pattern": r"^\d+(\.\d+)?,\d+(\.\d+)?,[1-9]\d*(\.\d+)?,[1-9]\d*(\.\d+)?$",
}


def _errors(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The answers of those statuses, each with the codes it may carry."""
    kinds = [
        kind
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, PoseCascadeError)
    ]
    content = {PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    described: dict[int | str, dict[str, Any]] = {}
    for status in statuses:
        parts = [
            f"`{kind.code}`: {kind.title}"
            for kind in kinds
            if getattr(kind, "status", None) == status
        ]
        described[status] = {
            "description": "; ".join(parts),
            "content": content,
            "headers": _REQUEST_ID | (_RETRY if status in (429, 503) else {}),
        }
    return described


def described(
    name: str, summary: str, reply: type[Wire], *statuses: int
) -> dict[str, Any]:
    """Arguments of a route that answers JSON."""
    ok = {
        "description": summary,
        "headers": _REQUEST_ID,
        "content": {
            JSON: {"schema": {"$ref": f"#/components/schemas/{reply.__name__}"}}
        },
    }
    return {
        "operation_id": name,
        "summary": summary,
        "response_model": None,
        "responses": {200: ok} | _errors(*statuses),
    }


def _query() -> list[dict[str, Any]]:
    """`Parameters` as query parameters; where a record has null, a query leaves the parameter out."""
    schema = Parameters.model_json_schema()
    parameters = []
    for name, entry in schema["properties"].items():
        (kind,) = [
            part for part in entry.get("anyOf", [entry]) if part != {"type": "null"}
        ]
        named = (
            schema["$defs"][kind["$ref"].rsplit("/", 1)[1]] if "$ref" in kind else {}
        )
        schema = entry | kind | named
        bounds = (
            _REGION
            if name == "region"
            else {key: schema[key] for key in _BOUNDS if schema.get(key) is not None}
        )
        parameters.append(
            {
                "name": name,
                "in": "query",
                "required": False,
                "description": entry["description"],
                "schema": bounds,
            }
        )
    return parameters


def _body() -> dict[str, Any]:
    raw = {
        media: {"schema": {"type": "string", "contentMediaType": media}}
        for media in PICTURES
    }
    part = {
        "type": "string",
        "contentMediaType": "application/octet-stream",
        "description": "the picture",
    }
    form = {
        "schema": {
            "type": "object",
            "required": ["image"],
            "additionalProperties": False,
            "properties": {"image": part},
        }
    }
    return {
        "required": True,
        "description": "One picture: the bytes themselves, or the part `image` of a form",
        "content": raw | {"multipart/form-data": form},
    }


def _poses() -> dict[str, Any]:
    route = described(
        "poses",
        "The people in a picture",
        FrameReply,
        400,
        401,
        403,
        406,
        408,
        413,
        415,
        422,
        429,
        503,
    )
    ok = route["responses"][200]["content"]
    ok[MSGPACK] = ok[JSON]
    extra = {
        "parameters": _query(),
        "requestBody": _body(),
        "security": [{}, {"key": []}],
    }
    return route | {"openapi_extra": extra}


POSES: Final = _poses()
METRICS: Final[dict[str, Any]] = {
    "operation_id": "metrics",
    "summary": "Prometheus text",
    "response_model": None,
    "responses": {
        200: {
            "description": "Prometheus text",
            "headers": _REQUEST_ID,
            "content": {"text/plain": {"schema": {"type": "string"}}},
        }
    },
}


def document(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI 3.1 document of the routes, with the records that they name."""
    document = get_openapi(
        title=app.title,
        version=app.version,
        description=_DESCRIPTION,
        routes=app.routes,
        openapi_version="3.1.0",
    )
    components = document.setdefault("components", {})
    schemas: dict[str, Any] = {}
    for record in _records():
        schema = record.model_json_schema(
            ref_template="#/components/schemas/{model}", mode="serialization"
        )
        schemas |= schema.pop("$defs", {})
        schemas[record.__name__] = schema
    components["schemas"] = dict(sorted(schemas.items()))
    components["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
    return document


def _records() -> list[type[Wire]]:
    return [
        Problem,
        *(
            record
            for record in Wire.__subclasses__()
            if record.__name__.endswith("Reply")
        ),
    ]
