"""Errors as they are written: RFC 9457."""

from pydantic import Field

from posecascade.service.errors import PoseCascadeError
from posecascade.service.wire.encoding import Wire


class Problem(Wire):
    """Every error, as RFC 9457 wants it."""

    type: str = Field(
        description="a name for the kind of problem",
        examples=["urn:posecascade:bad_image"],
    )
    title: str
    status: int
    detail: str = Field(description="what was wanted, what came, what to do")
    code: str = Field(description="for programs; stable", examples=["bad_image"])
    request_id: str = Field(description="also in the header `X-Request-Id`")
    parameter: str | None = Field(
        None, exclude_if=lambda v: v is None, description="of `bad_parameter`: its name"
    )
    value: str | None = Field(
        None,
        exclude_if=lambda v: v is None,
        description="of `bad_parameter`: what came",
    )
    allowed: str | None = Field(
        None,
        exclude_if=lambda v: v is None,
        description="of `bad_parameter`: what may come",
    )

    @classmethod
    def of(cls, error: PoseCascadeError, request_id: str) -> "Problem":
        return cls(
            type=f"urn:posecascade:{error.code}",
            title=error.title,
            status=error.status,
            detail=str(error),
            code=error.code,
            request_id=request_id,
            **error.members,
        )
