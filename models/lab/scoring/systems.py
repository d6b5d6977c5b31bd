"""Our own cascade as the systems of a run: one stage for all, routed, and routed by chance at the same cost."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from posecascade.models.arrays import Image
from posecascade.models.cascade.cascade import Cascade
from posecascade.models.cascade.operating_point import OperatingPoint
from posecascade.models.lab.scoring.answers import Guess, System
from posecascade.models.options import Options, Quality
from posecascade.models.policies import (
    AlwaysPolicy,
    Decision,
    NeverPolicy,
    Policy,
    RoutingTable,
)
from posecascade.models.records import Camera, Frame, Stage, Stop

Route = tuple[Stage, ...]
"""The deep stages that one person is sent to, in order; empty: coarse alone."""

ROUTED: Final = "routed (balanced)"
ASSUMED_FOV: Final = ", assumed field of view"
"""Ends the name of a system that is not told the camera."""
COARSE = "coarse for all"
REFINE = "refine for all"
EXPERT = "expert for all"


class RoutedBy(Cascade):
    """The stages of another cascade, which stay its own to close, under one policy whatever the options say."""

    def __init__(
        self,
        cascade: Cascade,
        policy: Policy,
        price: float = 0.0,
        budget_ms: float = np.inf,
    ):
        super().__init__(cascade.manifest, cascade.runners)
        self._operating_point = OperatingPoint(policy, price, budget_ms)

    def operating_point(
        self, options: Options, *, in_stream: bool = False
    ) -> OperatingPoint:
        return self._operating_point


@dataclass(frozen=True, slots=True)
class CascadeSystem:
    """A cascade as a `System`."""

    name: str
    cascade: Cascade = field(repr=False)

    def frame(self, image_bgr: Image, camera: Camera | None) -> Frame:
        """The cascade's own answer."""
        return self.cascade.predict(image_bgr, Options(camera=camera))

    def people(self, image_bgr: Image, camera: Camera | None) -> list[Guess]:
        return [Guess.of(person) for person in self.frame(image_bgr, camera).people]


@dataclass(frozen=True, slots=True)
class WithoutCamera:
    """A system that is not told the camera and has to assume a field of view, as with most pictures it will be sent."""

    system: System

    @property
    def name(self) -> str:
        return f"{self.system.name}{ASSUMED_FOV}"

    def people(self, image_bgr: Image, camera: Camera | None) -> Sequence[Guess]:
        return self.system.people(image_bgr, None)


@dataclass(slots=True)
class Counted:
    """A policy that keeps count of the routes it sends people on."""

    policy: Policy
    routes: list[list[Route]] = field(default_factory=list)
    """One list a frame, one route a person."""

    @property
    def name(self) -> str:
        return self.policy.name

    def decide(self, table: RoutingTable) -> Decision:
        """The policy's decision, unchanged."""
        chosen = self.policy.decide(table)
        if table.stage is Stage.COARSE:
            routes: list[Route] = [()] * len(table)
            for stage, rows in (
                (Stage.REFINE, chosen.refine),
                (Stage.EXPERT, chosen.expert),
            ):
                for row in rows:
                    routes[row] = (stage,)
            self.routes.append(routes)
        else:
            for row in chosen.expert:
                self.routes[-1][table.person_index[row]] = (Stage.REFINE, Stage.EXPERT)
        return chosen


@dataclass(slots=True)
class ReplayedRoutes:
    """Sends people on routes that were drawn beforehand, frame by frame in the order of the frames."""

    routes: Sequence[Sequence[Route]]
    """One list a frame; the first frame's is used twice, for a run calls once untimed."""
    name: str = "drawn"
    _calls: int = 0
    _drawn: Sequence[Route] = ()
    """Of the frame that is being answered."""

    def decide(self, table: RoutingTable) -> Decision:
        """Raises:
        ValueError: another number of people than the routes were drawn for.
        """
        if table.stage is Stage.COARSE:
            self._drawn = self.routes[max(0, self._calls - 1)]
            self._calls += 1
            if len(self._drawn) != len(table):
                raise ValueError(
                    f"routes were drawn for {len(self._drawn)} people, got {len(table)}"
                )
        step = {Stage.COARSE: 0, Stage.REFINE: 1}[table.stage]
        mine = [self._drawn[person] for person in table.person_index]
        goes = [route[step] if len(route) > step else None for route in mine]
        picked = {
            stage: np.array(
                [row for row, to in enumerate(goes) if to is stage], np.intp
            )
            for stage in Stage
        }
        stop = {row: Stop.DEEPEST for row, to in enumerate(goes) if to is None}
        return Decision(picked[Stage.REFINE], picked[Stage.EXPERT], stop)


def drawn(
    routes: Sequence[Sequence[Route]], rng: np.random.Generator
) -> list[list[Route]]:
    """The same routes dealt to other people: as many of each kind, over all frames, by chance."""
    everyone = [route for frame in routes for route in frame]
    dealt = iter([everyone[i] for i in rng.permutation(len(everyone))])
    return [[next(dealt) for _ in frame] for frame in routes]


def looks(routes: Sequence[Sequence[Route]]) -> Counter[Stage]:
    """How many looks each deep stage had."""
    return Counter(stage for frame in routes for route in frame for stage in route)


def stages_for_all(cascade: Cascade) -> list[CascadeSystem]:
    """Coarse alone, everybody to refine, everybody to expert."""
    return [
        CascadeSystem(COARSE, RoutedBy(cascade, NeverPolicy())),
        CascadeSystem(REFINE, RoutedBy(cascade, AlwaysPolicy(Stage.REFINE))),
        CascadeSystem(EXPERT, RoutedBy(cascade, AlwaysPolicy(Stage.EXPERT))),
    ]


def routed(cascade: Cascade) -> tuple[CascadeSystem, Counted]:
    """The cascade as it is served at quality `balanced`, and the count of its routes."""
    balanced = Options(quality=Quality.BALANCED)
    point = cascade.operating_point(balanced)
    counted = Counted(point.policy)
    served = RoutedBy(cascade, counted, point.price, point.budget_ms)
    return CascadeSystem(ROUTED, served), counted


def random_at_same_cost(
    cascade: Cascade, routes: Sequence[Sequence[Route]], seed: int
) -> CascadeSystem:
    """Routing by chance with exactly as many looks of each kind as `routes` (one list a frame of the run to come)."""
    dealt = drawn(routes, np.random.default_rng(seed))
    return CascadeSystem(f"random {seed}", RoutedBy(cascade, ReplayedRoutes(dealt)))
