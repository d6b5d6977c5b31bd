"""The current settings of a stream."""

from collections.abc import Collection, Mapping
from typing import Any

from posecascade.models.skeleton import JOINT_SETS
from posecascade.service.http.parameters import (
    Parameters,
    RequestOptions,
    parse_options,
)
from posecascade.service.wire.skeleton import Skeleton


class StreamSettings:
    """Settings that may change between two frames: all of a change, or nothing."""

    def __init__(self, policies: Collection[str]) -> None:
        self._policies = policies
        self._given: dict[str, Any] = {}
        self.requested: RequestOptions = parse_options({}, policies)

    def change(self, settings: Mapping[str, Any]) -> None:
        """
        Args:
            settings: by name, as JSON or the query writes them; None takes a setting back.

        Raises:
            BadParameter: names what cannot be honoured; nothing has changed then.
        """
        given = {
            name: value
            for name, value in (self._given | dict(settings)).items()
            if value is not None
        }
        self.requested = parse_options(given, self._policies)
        self._given = given

    def by_name(self) -> dict[str, Any]:
        """All settings as JSON, those not given at their defaults."""
        return Parameters.model_validate(self._given).model_dump(mode="json")

    def skeleton(self) -> Skeleton:
        """Of the answers."""
        return Skeleton.of(JOINT_SETS[self.requested.skeleton])
