"""Who may ask, for what, and how often."""

import hmac
import math
import time
from collections.abc import Callable, Sequence

from posecascade.service.errors import Forbidden, RateLimited, Unauthorized
from posecascade.service.http.rate_limit import Allowance
from posecascade.service.settings import Key, Scope


class Keyring:
    """The keys of the settings and what each has left of its rate."""

    def __init__(
        self, keys: Sequence[Key], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._keys = tuple(keys)
        self._left = {
            key.name: Allowance(key.requests_per_s, max(key.requests_per_s, 1.0), clock)
            for key in keys
            if key.requests_per_s is not None
        }

    def admit(
        self, authorization: str | None, scope: Scope, *, key: str | None = None
    ) -> Key | None:
        """Counts one request. None where no keys are set: anybody may ask.

        Args:
            authorization: the header.
            scope: of the request.
            key: where a header cannot be sent (a browser's WebSocket).

        Raises:
            Unauthorized, Forbidden, RateLimited: as their names say.
        """
        if not self._keys:
            return None
        sent = key or _bearer(authorization)
        if not sent:
            raise Unauthorized("send the header `Authorization: Bearer KEY`")
        known = [
            entry
            for entry in self._keys
            if hmac.compare_digest(_secret(entry), sent.encode())
        ]
        if not known:
            raise Unauthorized("this key is not known here")
        if scope not in known[0].scopes:
            raise Forbidden(
                f"the key {known[0].name!r} is for {', '.join(sorted(known[0].scopes))}, not for {scope}"
            )
        self._spend(known[0])
        return known[0]

    def _spend(self, key: Key) -> None:
        left = self._left.get(key.name)
        if left is not None and key.requests_per_s is not None and not left.spend():
            raise RateLimited(
                f"the key {key.name!r} allows {key.requests_per_s:g} requests a second",
                retry_after_s=math.ceil(1 / key.requests_per_s),
            )


def _secret(key: Key) -> bytes:
    return key.key.get_secret_value().encode()


def _bearer(authorization: str | None) -> str | None:
    scheme, _, token = (authorization or "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None
