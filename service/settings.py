"""What an operator may set: environment variables `POSECASCADE_*`, read once at the edge and passed down."""

from pathlib import Path
from typing import Annotated, Final, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from posecascade.models.manifest import WEIGHTS

Scope: TypeAlias = Literal["poses", "stream"]

PAGE: Final = Path(__file__).parent / "page"


class Key(BaseModel):
    """A client and its scopes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: SecretStr = Field(min_length=8)
    name: str
    """Said in errors, where the key itself must not stand."""
    scopes: frozenset[Scope] = frozenset({"poses", "stream"})
    requests_per_s: Annotated[float, Field(gt=0)] | None = None
    """Pictures, and streams opened, per second; None: no limit."""


class Settings(BaseSettings):
    """One record for the whole service. `keys` is JSON: `[{"key": "…", "name": "lab", "requests_per_s": 20}]`."""

    model_config = SettingsConfigDict(
        env_prefix="POSECASCADE_", frozen=True, extra="forbid"
    )

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8000
    weights: Path = WEIGHTS
    runtime: str = "onnxruntime"
    threads: Annotated[int, Field(ge=1)] = 2
    """Of one stage's run. Decoding and the cascade's own arithmetic have as many of their own."""

    max_bytes: Annotated[int, Field(ge=1)] = 16 * 2**20
    """Of one body, or one frame of a stream."""
    max_pixels: Annotated[int, Field(ge=1)] = 40_000_000
    body_timeout_s: Annotated[float, Field(gt=0)] = 20.0
    """For the whole body to arrive."""
    answer_timeout_s: Annotated[float, Field(gt=0)] = 10.0
    """For one picture, from its last byte; deeper stages are left out in time for it."""

    max_requests: Annotated[int, Field(ge=1)] = 64
    """Pictures being received or worked on; bounds the memory that bodies take."""
    max_decoding: Annotated[int, Field(ge=1)] = 16
    """Pictures decoded or waiting for it; bounds the memory that decoded pictures take."""
    max_streams: Annotated[int, Field(ge=1)] = 32
    """Streams open at a time; each holds a frame that is worked on and one that waits."""
    coarse_queue: Annotated[int, Field(ge=1)] = 16
    """Frames that may wait for the coarse stage; the next one is refused."""
    deep_queue: Annotated[int, Field(ge=1)] = 64
    """People who may wait for each deeper stage; the next ones keep their shallower answer."""
    queue_target_ms: Annotated[float, Field(gt=0)] = 50.0
    """Waiting that is tolerated before depth is shed."""

    keys: tuple[Key, ...] = ()
    """Who may ask; empty: anybody."""
    allowed_origins: tuple[str, ...] = ()
    """Web origins other than our own page that may call from a browser."""
    drain_s: Annotated[float, Field(ge=0)] = 0.0
    """From the first signal until the listening socket closes: time for a load balancer to see `ready` fail."""
    page: Path = PAGE
