"""The base of all records of the wire, and the formats that they are written in."""

from typing import Final

import msgpack  # type: ignore[import-untyped]  # it ships no types
from pydantic import BaseModel, ConfigDict

JSON: Final = "application/json"
MSGPACK: Final = "application/msgpack"
PROBLEM: Final = "application/problem+json"


class Wire(BaseModel):
    """Base of all answers: what is not written down here is not sent."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def encoded(reply: Wire, media_type: str = JSON) -> bytes:
    """An answer's bytes."""
    if media_type == MSGPACK:
        packed: bytes = msgpack.packb(reply.model_dump(mode="json"))
        return packed
    return reply.model_dump_json().encode()
