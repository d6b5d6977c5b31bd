"""Waiting becomes a price, and the price goes away with it."""

from service.engine.load import CEILING_MM_PER_MS, LoadController


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def observed(controller: LoadController, clock: Clock, waited_s: float, *, for_s: float) -> float:
    """The price after jobs that waited so long have begun every 50 ms."""
    for _ in range(round(for_s / 0.05)):
        clock.now += 0.05
        controller.observe(waited_s)
    return controller.price


def test_short_waits_cost_nothing() -> None:
    clock = Clock()
    assert observed(LoadController(target_s=0.05, clock=clock), clock, 0.04, for_s=10) == 0


def test_long_waits_raise_the_price_to_a_ceiling_and_no_further() -> None:
    clock = Clock()
    controller = LoadController(target_s=0.05, clock=clock)

    assert 0 < observed(controller, clock, 0.2, for_s=0.5) < CEILING_MM_PER_MS
    assert observed(controller, clock, 0.2, for_s=5) == CEILING_MM_PER_MS


def test_the_price_falls_when_waits_are_short_again_and_when_nothing_happens() -> None:
    clock = Clock()
    controller = LoadController(target_s=0.05, clock=clock)
    top = observed(controller, clock, 0.2, for_s=5)

    assert observed(controller, clock, 0.0, for_s=1) < top
    clock.now += 10
    assert controller.price == 0


def test_one_late_observation_counts_for_a_moment_only() -> None:
    clock = Clock()
    controller = LoadController(target_s=0.05, clock=clock)

    clock.now += 3600
    controller.observe(10.0)

    assert controller.price < CEILING_MM_PER_MS / 4


def test_short_waits_in_one_place_do_not_hide_long_ones_in_another() -> None:
    clock = Clock()
    controller = LoadController(target_s=0.05, clock=clock)

    for _ in range(20):
        clock.now += 0.02
        controller.observe(0.2)
        clock.now += 0.02
        controller.observe(0.0)

    assert controller.price > CEILING_MM_PER_MS / 5
