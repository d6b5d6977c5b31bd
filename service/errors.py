"""Everything the service raises on purpose, and what it becomes on the wire.

PoseCascadeError
├── BadImage            the bytes are no usable picture             -> 400 bad_image
├── EmptyBody           nothing was sent                            -> 400 empty_body
├── Unauthorized        keys are on; none came, or an unknown one   -> 401 unauthorized
├── Forbidden           the key or the origin is not for this       -> 403 forbidden
├── NotFound            no such path                                -> 404 not_found
├── MethodNotAllowed    the path knows other methods                -> 405 method_not_allowed
├── NotAcceptable       no format that `Accept` allows              -> 406 not_acceptable
├── BodyTimeout         the client sends too slowly                 -> 408 body_timeout
├── TooManyBytes        over the limit, before it is read           -> 413 too_many_bytes
├── TooManyPixels       over the limit, before it is decoded        -> 413 too_many_pixels
├── UnsupportedMedia    SVG, animation, text, a wrong Content-Type  -> 415 unsupported_media
├── BadParameter        names parameter, value and what is allowed  -> 422 bad_parameter
├── RateLimited         more than the key allows                    -> 429 rate_limited
├── Overloaded          a queue is full                             -> 503 overloaded
├── Starting            weights are being loaded and warmed up      -> 503 starting
├── Draining            the service is shutting down                -> 503 draining
├── StageUnavailable    a stage failed, see __cause__               -> 503 stage_down
├── Internal            a defect of ours, logged where it happened  -> 500 internal
└── ClientGone          nobody is left to answer
"""

from collections.abc import Mapping
from typing import ClassVar


class PoseCascadeError(Exception):
    """Base of everything below. The message states what was expected, what was received, and what to do."""

    status: ClassVar[int]
    code: ClassVar[str]
    title: ClassVar[str]

    @property
    def headers(self) -> dict[str, str]:
        """Sent with the answer."""
        return {}

    @property
    def members(self) -> Mapping[str, str]:
        """Further members of the problem document."""
        return {}


class BadImage(PoseCascadeError):
    status = 400
    code = "bad_image"
    title = "The bytes are no usable picture"


class EmptyBody(PoseCascadeError):
    status = 400
    code = "empty_body"
    title = "Nothing was sent"


class Unauthorized(PoseCascadeError):
    status = 401
    code = "unauthorized"
    title = "A valid key is needed"

    @property
    def headers(self) -> dict[str, str]:
        return {"WWW-Authenticate": "Bearer"}


class Forbidden(PoseCascadeError):
    status = 403
    code = "forbidden"
    title = "This key or origin may not do this"


class NotFound(PoseCascadeError):
    status = 404
    code = "not_found"
    title = "No such path"


class MethodNotAllowed(PoseCascadeError):
    status = 405
    code = "method_not_allowed"
    title = "The path does not know this method"

    def __init__(self, message: str, *, allow: str) -> None:
        super().__init__(message)
        self._allow = allow

    @property
    def headers(self) -> dict[str, str]:
        return {"Allow": self._allow}


class NotAcceptable(PoseCascadeError):
    status = 406
    code = "not_acceptable"
    title = "No format on offer is acceptable"


class _Unread(PoseCascadeError):
    """Leaves a body on the wire: the connection cannot be used again."""

    @property
    def headers(self) -> dict[str, str]:
        return {"Connection": "close"}


class BodyTimeout(_Unread):
    status = 408
    code = "body_timeout"
    title = "The body came too slowly"


class TooManyBytes(_Unread):
    status = 413
    code = "too_many_bytes"
    title = "The body is over the size limit"


class TooManyPixels(PoseCascadeError):
    status = 413
    code = "too_many_pixels"
    title = "The picture is over the pixel limit"


class UnsupportedMedia(PoseCascadeError):
    status = 415
    code = "unsupported_media"
    title = "This kind of content is not read here"


class BadParameter(PoseCascadeError):
    """A setting of a request or a stream that cannot be honoured."""

    status = 422
    code = "bad_parameter"
    title = "A parameter cannot be honoured"

    def __init__(
        self, parameter: str, value: object, allowed: str, *, message: str | None = None
    ) -> None:
        self.parameter = _shown(parameter)
        self.value = _shown(value)
        self.allowed = allowed
        super().__init__(
            message or f"{self.parameter} must be {allowed}, got {self.value!r}"
        )

    @property
    def members(self) -> Mapping[str, str]:
        return {
            "parameter": self.parameter,
            "value": self.value,
            "allowed": self.allowed,
        }


class _Later(PoseCascadeError):
    """May be tried again."""

    retry_after_s: int = 1

    def __init__(self, message: str, *, retry_after_s: int | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s or self.retry_after_s

    @property
    def headers(self) -> dict[str, str]:
        return {"Retry-After": str(self.retry_after_s)}


class RateLimited(_Later):
    status = 429
    code = "rate_limited"
    title = "More requests than the key allows"


class Overloaded(_Later):
    status = 503
    code = "overloaded"
    title = "More work than the service can take"


class Starting(_Later):
    status = 503
    code = "starting"
    title = "The service is not ready yet"
    retry_after_s = 2


class Draining(_Later):
    status = 503
    code = "draining"
    title = "The service is shutting down"
    retry_after_s = 5


class StageUnavailable(_Later):
    status = 503
    code = "stage_down"
    title = "A stage of the cascade does not work"
    retry_after_s = 5


class Internal(PoseCascadeError):
    status = 500
    code = "internal"
    title = "A defect of the service"


class ClientGone(PoseCascadeError):
    """Status 499 is what proxies write in their logs; it goes into the metrics only."""

    status = 499
    code = "client_gone"
    title = "The client went away"


def _shown(value: object) -> str:
    """A value as it may be quoted in an error: bounded, and one line."""
    text = value if isinstance(value, str) else repr(value)
    text = text.encode("unicode_escape").decode()
    return text if len(text) <= 80 else f"{text[:77]}..."
