"""Waiting becomes a price, and the price goes away with it."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from posecascade.service.engine.load import CEILING_MM_PER_MS, LoadController


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def controller(clock: Clock) -> LoadController:
    return LoadController(target_s=0.05, clock=clock)


def prices(
    controller: LoadController, clock: Clock, wait_s: float, *, for_s: float
) -> list[float]:
    """While a frame comes every 50 ms that has to wait so long."""
    seen = []
    for _ in range(round(for_s / 0.05)):
        clock.now += 0.05
        controller.observe(wait_s)
        seen.append(controller.price)
    return seen


def test_short_waits_cost_nothing(controller: LoadController, clock: Clock) -> None:
    assert set(prices(controller, clock, 0.04, for_s=10)) == {0}


def test_long_waits_raise_the_price_step_by_step_to_a_ceiling(
    controller: LoadController, clock: Clock
) -> None:
    seen = prices(controller, clock, 0.5, for_s=10)

    assert 0 < seen[0] < 1
    assert all(later >= earlier for earlier, later in itertools.pairwise(seen))
    assert all(
        later - earlier < CEILING_MM_PER_MS / 10
        for earlier, later in itertools.pairwise(seen)
    )
    assert seen[-1] == pytest.approx(CEILING_MM_PER_MS)


def test_a_wait_of_the_target_leaves_the_price_where_it_is(
    controller: LoadController, clock: Clock
) -> None:
    prices(controller, clock, 0.2, for_s=2)
    prices(controller, clock, 0.05, for_s=1)  # the longer waits of before are forgotten
    seen = prices(controller, clock, 0.05, for_s=5)

    assert seen == pytest.approx([seen[0]] * len(seen))
    assert seen[0] > 0


def test_a_longer_wait_is_answered_by_a_steeper_rise(
    controller: LoadController, clock: Clock
) -> None:
    other = LoadController(target_s=0.05, clock=Clock())

    assert prices(controller, clock, 0.4, for_s=1) > prices(
        other, other._clock, 0.1, for_s=1
    )  # type: ignore[arg-type]


@pytest.mark.parametrize("overload_s", [5, 600])
def test_from_the_ceiling_it_is_back_at_nothing_in_seconds_however_long_the_overload(
    controller: LoadController, clock: Clock, overload_s: float
) -> None:
    prices(controller, clock, 1.0, for_s=overload_s)
    seen = prices(controller, clock, 0.0, for_s=6)

    assert seen[40] < CEILING_MM_PER_MS / 2
    assert seen[-1] == 0


def test_it_falls_when_nobody_comes(controller: LoadController, clock: Clock) -> None:
    top = prices(controller, clock, 0.5, for_s=5)[-1]

    clock.now += 2
    assert 0 < controller.price < top
    clock.now += 10
    assert controller.price == 0


def test_one_late_observation_counts_for_a_moment_only(
    controller: LoadController, clock: Clock
) -> None:
    clock.now += 3600
    controller.observe(10.0)

    assert 0 < controller.price < CEILING_MM_PER_MS / 8


def test_a_frame_lost_to_its_deadline_counts_as_the_longest_wait(
    controller: LoadController, clock: Clock
) -> None:
    clock.now += 1
    controller.lost()
    lost = controller.price
    clock.now += 60
    controller.observe(3600)

    assert lost == pytest.approx(controller.price)


def test_short_waits_in_one_place_do_not_hide_long_ones_in_another(
    controller: LoadController, clock: Clock
) -> None:
    for _ in range(20):
        clock.now += 0.02
        controller.observe(0.2)
        clock.now += 0.02
        controller.observe(0.0)

    assert controller.price > 0.5


@given(st.lists(st.tuples(st.floats(0, 100), st.floats(0, 1000)), max_size=50))
def test_the_price_never_leaves_its_bounds(
    observations: list[tuple[float, float]],
) -> None:
    clock = Clock()
    controller = LoadController(target_s=0.05, clock=clock)
    for passed_s, wait_s in observations:
        clock.now += passed_s
        controller.observe(wait_s)
        assert 0 <= controller.price <= CEILING_MM_PER_MS * (1 + 1e-9)
