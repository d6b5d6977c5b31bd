"""Which of our formats a client would rather have."""

from collections.abc import Sequence

from posecascade.service.errors import NotAcceptable


def negotiate(accept: str | None, offers: Sequence[str]) -> str:
    """The offer that `Accept` likes best, an earlier one where it does not care. RFC 9110, section 12.5.1.

    Raises:
        NotAcceptable: it allows none of them.
    """
    if not accept or not accept.strip():
        return offers[0]
    ranges = [_range(entry) for entry in accept.split(",")]
    liked = max(
        offers, key=lambda offer: _quality(offer, ranges)
    )  # the first of equals
    if _quality(liked, ranges) <= 0:
        raise NotAcceptable(
            f"on offer are {', '.join(offers)}, but Accept is {accept[:80]!r}"
        )
    return liked


def _range(entry: str) -> tuple[str, float]:
    media, *parameters = (part.strip().lower() for part in entry.split(";"))
    quality = 1.0
    for parameter in parameters:
        if parameter.startswith("q="):
            try:
                quality = float(parameter[2:])
            except ValueError:
                quality = 0.0
    return media, quality


def _quality(offer: str, ranges: Sequence[tuple[str, float]]) -> float:
    """Of the most specific range that fits."""
    for wanted in (offer, f"{offer.partition('/')[0]}/*", "*/*"):
        fitting = [quality for media, quality in ranges if media == wanted]
        if fitting:
            return max(fitting)
    return 0.0
