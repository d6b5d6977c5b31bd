"""The figures of an answer add up as they are read."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from posecascade.service.wire.timing import PARTS, accounted


@given(
    st.dictionaries(st.sampled_from([*PARTS, "other"]), st.floats(-1, 1e4)),
    st.floats(0, 1e5),
)
def test_the_parts_add_up_to_the_total_and_none_is_negative(
    parts_ms: dict[str, float], total_ms: float
) -> None:
    timing = accounted(parts_ms, total_ms)

    assert list(timing) == [*PARTS, "other", "total"]
    assert min(timing.values()) >= 0
    shown = {name: Decimal(repr(ms)) for name, ms in timing.items()}
    assert sum(shown.values()) - shown["total"] == shown["total"]
    assert timing["total"] >= round(total_ms, 3)


def test_what_no_part_claims_is_other() -> None:
    assert accounted({"coarse": 5.0, "decode": 3.0}, 10.0)["other"] == 2.0
