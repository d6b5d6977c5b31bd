"""Settings as a stream's JSON sends them; the query's are tested through the app."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from posecascade.models.options import Options, Quality
from posecascade.models.records import Camera, CameraSource
from posecascade.models.skeleton import JOINT_SETS
from posecascade.service.errors import BadParameter
from posecascade.service.http.parameters import (
    Parameters,
    SkeletonName,
    once_each,
    parse_options,
)

POLICIES = ("gain", "never")


def test_nothing_given_is_all_of_the_defaults() -> None:
    requested = parse_options({}, POLICIES)

    assert requested.options == Options()
    assert requested.skeleton == "cascade25"


def test_json_numbers_and_query_texts_mean_the_same() -> None:
    json = {
        "price": 2,
        "tiles": 3,
        "max_people": 4,
        "region": [0, 0, 10, 20.5],
        "min_score": 0.5,
        "quality": "fast",
    }
    query = {
        "price": "2",
        "tiles": "3",
        "max_people": "4",
        "region": "0,0,10,20.5",
        "min_score": "0.5",
        "quality": "fast",
    }

    assert parse_options(json, POLICIES) == parse_options(query, POLICIES)
    assert parse_options(json, POLICIES).options.quality is Quality.FAST


def test_null_means_the_default() -> None:
    assert (
        parse_options(dict.fromkeys(Parameters.model_fields), POLICIES).options
        == Options()
    )


@pytest.mark.parametrize(("settings", "parameter"), [
    ({"price": True}, "price"), ({"max_people": True}, "max_people"), ({"region": [1, 2, 3]}, "region"),
    ({"region": {"x": 1}}, "region"), ({"policy": 3}, "policy"), ({"price": "1e400"}, "price"),
    ({"fov_deg": []}, "fov_deg"), ({"max_people": "9" * 5000}, "max_people"), ({"quality": {"a": 1}}, "quality"),
])  # fmt: skip
def test_json_that_means_nothing_is_named(
    settings: dict[str, Any], parameter: str
) -> None:
    with pytest.raises(BadParameter) as fault:
        parse_options(settings, POLICIES)

    assert fault.value.parameter == parameter
    assert len(fault.value.value) <= 80


@given(
    st.dictionaries(
        st.sampled_from([*Parameters.model_fields, "other", ""]),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
            st.lists,
            max_leaves=5,
        ),
    )
)
def test_any_json_gives_options_or_names_the_parameter(
    settings: dict[str, Any],
) -> None:
    try:
        said = str(parse_options(settings, POLICIES))
    except BadParameter as fault:
        said = f"{fault}{fault.allowed}"

    assert said
    assert "\n" not in said


def test_a_name_is_given_once() -> None:
    assert once_each([("a", "1"), ("b", "2")]) == {"a": "1", "b": "2"}
    with pytest.raises(BadParameter, match="price is given more than once"):
        once_each([("price", "1"), ("price", "1")])


def test_the_camera_of_the_request_goes_before_exif_and_exif_before_a_guess() -> None:
    exif = Camera(50, 50, 32, 24, CameraSource.EXIF)

    def camera(**settings: float) -> Camera | None:
        return (
            parse_options(settings, POLICIES)
            .options_for(width=64, height=48, exif=exif)
            .camera
        )

    assert camera() == exif
    assert camera(fov_deg=90).fx == pytest.approx(32)  # type: ignore[union-attr]
    assert camera(fx=1, fy=2, cx=3, cy=4) == Camera(1, 2, 3, 4)
    assert (
        parse_options({}, POLICIES).options_for(width=64, height=48).camera is None
    )  # the cascade guesses


def test_the_skeletons_on_offer_are_those_of_the_models() -> None:
    assert list(SkeletonName.__args__) == list(JOINT_SETS)  # type: ignore[attr-defined]
