"""Facts about what a caller may ask for."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from posecascade.models.options import MAX_PEOPLE, Options

BAD = [
    ({"price": -0.1}, "price must be >= 0"),
    ({"price": math.nan}, "price must be >= 0"),
    ({"price": math.inf}, "price must be >= 0 and finite"),
    ({"max_extra_error_mm": 0}, "max_extra_error_mm must be > 0"),
    ({"budget_ms": 0}, "budget_ms must be > 0"),
    ({"budget_ms": math.inf}, "budget_ms must be > 0 and finite"),
    ({"max_people": 0}, "max_people must be 1..64"),
    ({"max_people": MAX_PEOPLE + 1}, "max_people must be 1..64"),
    ({"min_score": 1.1}, "min_score must be 0..1"),
    ({"min_score": math.nan}, "min_score must be 0..1"),
    ({"tiles": -1}, "tiles must be 0..9"),
    ({"tiles": 10}, "tiles must be 0..9"),
    ({"region_xywh_px": (-1, 0, 10, 10)}, "region must be"),
    ({"region_xywh_px": (0, 0, 0.5, 10)}, "region must be"),
    ({"region_xywh_px": (0, math.nan, 10, 10)}, "region must be"),
]


@pytest.mark.parametrize(("settings", "message"), BAD, ids=str)
def test_a_setting_out_of_range_is_refused_by_name(settings, message):
    with pytest.raises(ValueError, match=message):
        Options(**settings)


def test_a_price_and_a_promise_clash():
    with pytest.raises(ValueError, match="price and max_extra_error_mm clash"):
        Options(price=1, max_extra_error_mm=2)


@given(
    st.floats(0, 1e9),
    st.floats(0, 1e9, exclude_min=True),
    st.integers(1, MAX_PEOPLE),
    st.floats(0, 1),
)
def test_every_value_in_range_is_taken(price, budget_ms, max_people, min_score):
    Options(
        price=price, budget_ms=budget_ms, max_people=max_people, min_score=min_score
    )
