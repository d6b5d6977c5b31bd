"""Through steps of load, in virtual time: depth is shed before frames, hardest people last, and it comes back."""

from typing import NamedTuple

import numpy as np
import pytest

from posecascade.models.arrays import Floats
from posecascade.models.policies import AlwaysPolicy
from posecascade.models.records import Stop
from posecascade.service.engine.load import CEILING_MM_PER_MS
from tests.service.engine.outcomes import (
    delays_s,
    errors_mm,
    looked_at,
    ordered,
    refused,
)
from tests.service.engine.simulation import SimulatedFrame, Simulation, traffic

FULL_FPS = 7.0
"""Frames a second, everybody to the deepest that pays, that take all of the device; `coarse` alone could do 36."""
LOADS = {
    "idle": 0.3,
    "full": 1.0,
    "one and a half": 1.5,
    "threefold": 3.0,
    "idle again": 0.3,
}
LASTS_S = 20.0


class Day(NamedTuple):
    frames: dict[str, list[SimulatedFrame]]
    price: dict[str, Floats]
    """[T] every 50 ms."""


def day_of(simulation: Simulation, loads: dict[str, float]) -> Day:
    """The same length of each load."""
    frames = traffic([(LASTS_S, load) for load in loads.values()])
    samples = simulation.run(frames)
    spans = {
        name: (row * LASTS_S, (row + 1) * LASTS_S) for row, name in enumerate(loads)
    }
    return Day(
        {
            name: [f for f in frames if a <= f.arrived_s < b]
            for name, (a, b) in spans.items()
        },
        {
            name: samples[(a <= samples[:, 0]) & (samples[:, 0] < b), 1]
            for name, (a, b) in spans.items()
        },
    )


@pytest.fixture(scope="module")
def day() -> Day:
    return day_of(Simulation(), {name: load * FULL_FPS for name, load in LOADS.items()})


def test_depth_is_shed_step_by_step_and_no_frame_is_lost(day: Day) -> None:
    depth = [looked_at(frames).mean() for frames in day.frames.values()]

    assert [refused(frames) for frames in day.frames.values()] == [0] * len(LOADS)
    assert depth[0] > depth[1] > depth[2] > depth[3] > 0.1
    for frames in (day.frames["idle"], day.frames["idle again"][5:]):
        assert looked_at(frames).sum() > 0.95 * sum(
            len(frame.requested) for frame in frames
        )


def test_the_hardest_are_shed_last(day: Day) -> None:
    frames = day.frames["threefold"]
    hardest = errors_mm(frames) > np.quantile(errors_mm(frames), 0.9)

    assert ordered(frames) > 0.8
    assert looked_at(frames)[hardest].mean() > 0.7
    assert looked_at(frames).mean() < 0.25


def test_everyone_who_loses_a_look_to_the_load_is_told(day: Day) -> None:
    lost = [
        frame.stop.get(person)
        for frames in day.frames.values()
        for frame in frames
        for person in frame.requested - frame.deep
    ]

    assert set(lost) == {Stop.LOAD}


def test_the_delay_stays_bounded(day: Day) -> None:
    for name, frames in day.frames.items():
        first_half = [
            frame
            for frame in frames
            if frame.arrived_s < frames[0].arrived_s + LASTS_S / 2
        ]
        assert np.quantile(delays_s(frames), 0.95) < 1, name
        assert (
            np.median(delays_s(frames)) < 2 * np.median(delays_s(first_half)) + 0.1
        ), name


def test_under_a_steady_load_the_price_settles_and_does_not_swing(day: Day) -> None:
    late = day.price["threefold"][200:]  # the second half

    assert 2 < late.mean() < 10  # what a look is worth
    assert late.std() < late.mean() / 2
    assert late.max() < 3 * late.mean()
    assert np.abs(np.diff(late)).max() < late.mean() / 2


def test_the_price_is_bounded_and_gone_seconds_after_the_load(day: Day) -> None:
    assert max(price.max() for price in day.price.values()) < CEILING_MM_PER_MS
    assert day.price["idle"].max() < 0.5
    assert (
        day.price["idle again"][60:].mean() < 0.05
    )  # from 3 s on; frames happen to meet


def test_a_burst_costs_depth_and_no_frame() -> None:
    burst = [
        SimulatedFrame(1 + 0.001 * i, 20, np.linspace(100, 300, 6)) for i in range(12)
    ]
    later = [SimulatedFrame(5 + i, 20, np.linspace(100, 300, 6)) for i in range(3)]
    Simulation().run([*burst, *later])

    assert refused(burst) == 0
    assert Stop.LOAD in burst[-1].stop.values()
    assert Stop.LOAD not in later[0].stop.values()
    assert delays_s(burst).max() < 1.2
    assert looked_at(later).all()


def test_beyond_what_coarse_alone_can_do_nobody_goes_deeper_before_frames_are_refused() -> (
    None
):
    day = day_of(Simulation(budget_ms=20), {"too much": 60, "little": 6})
    answered = [
        frame for frame in day.frames["too much"][200:] if frame.answered_s is not None
    ]

    assert refused(day.frames["too much"]) > 0
    assert looked_at(answered).mean() < 0.01
    assert np.quantile(delays_s(answered), 0.95) < 1
    assert refused(day.frames["little"]) == 0
    assert (day.price["little"][100:] < 1).all()  # 5 s after a minute at the ceiling


def test_who_asks_for_the_best_is_shed_by_gain_too() -> None:
    day = day_of(
        Simulation(policy=AlwaysPolicy(), asked_price=0),
        {"idle": 1, "threefold": 3 * FULL_FPS},
    )

    assert looked_at(day.frames["idle"]).mean() > 0.95
    assert refused(day.frames["threefold"]) == 0
    assert ordered(day.frames["threefold"]) > 0.8


@pytest.mark.parametrize("deadline_s", [0.1, 0.25])
def test_a_near_deadline_is_planned_for_instead_of_cutting_work_that_was_begun(
    deadline_s: float,
) -> None:
    frames = traffic([(40, 2.0)], deadline_s=deadline_s)
    simulation = Simulation()
    simulation.run(frames)

    assert refused(frames) == 0
    assert delays_s(frames).max() <= deadline_s + 1e-9
    assert looked_at(frames).mean() > 0.5
    assert ordered(frames) > 0.8
    assert simulation.cut < 0.05 * len(errors_mm(frames))


def test_frames_lost_to_their_deadline_turn_into_price() -> None:
    simulation = Simulation()
    samples = simulation.run(traffic([(20, 16.0)], deadline_s=0.1))

    assert simulation.load.price == 0  # it is over
    assert samples[:400, 1].mean() > 0.5
