"""What the routes share: made by the application factory, found through the connection."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from starlette.requests import HTTPConnection

from posecascade.service.engine.engine import Engine
from posecascade.service.errors import Overloaded
from posecascade.service.http.auth import Keyring
from posecascade.service.metrics import Metrics
from posecascade.service.settings import Settings


@dataclass(frozen=True, slots=True)
class Service:
    """The parts of one running service."""

    settings: Settings
    engine: Engine
    keyring: Keyring
    metrics: Metrics
    places: asyncio.Semaphore = field(init=False)
    """For pictures that are received or worked on."""

    def __post_init__(self) -> None:
        object.__setattr__(
            self, "places", asyncio.Semaphore(self.settings.max_requests)
        )

    @classmethod
    def of(cls, connection: HTTPConnection) -> "Service":
        """The service that a request or a WebSocket came to."""
        service: Service = connection.app.state.service
        return service

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """A place for one picture.

        Raises:
            Overloaded: all are taken.
        """
        if self.places.locked():
            raise Overloaded(
                f"{self.settings.max_requests} pictures are being received or worked on"
            )
        async with self.places:
            yield
