"""Facts about how much may be sent."""

from hypothesis import given
from hypothesis import strategies as st

from posecascade.service.http.rate_limit import Allowance


@given(st.lists(st.floats(0, 3), max_size=50), st.floats(0.5, 20), st.integers(1, 20))
def test_never_more_than_the_burst_and_what_time_has_earned(waits, per_s, burst):
    now = 0.0
    allowance = Allowance(per_s, burst, lambda: now)
    spent = 0
    for wait in waits:
        now += wait
        spent += allowance.spend()
        assert spent <= burst + now * per_s + 1e-6


def test_who_stays_below_the_rate_is_never_refused():
    now = 0.0
    allowance = Allowance(10.0, 1, lambda: now)
    for _ in range(100):
        assert allowance.spend()
        now += 0.11


def test_who_waited_long_has_the_burst_and_no_more():
    now = 0.0
    allowance = Allowance(10.0, 3, lambda: now)
    now = 1e6

    assert [allowance.spend() for _ in range(4)] == [True, True, True, False]
