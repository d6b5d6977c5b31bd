import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from posecascade.models.errors import RunnerError
from posecascade.models.runners.profiles import (
    Profile,
    in_buckets,
    profile_of,
    profiles,
)
from posecascade.models.runners.signature import TensorSpec

FRAME = {
    "image_bgr": TensorSpec(np.dtype(np.uint8), (None, None, None, 3)),
    "intrinsics": TensorSpec(np.dtype(np.float32), (None, 4)),
}
CROP = {"crop_bgr": TensorSpec(np.dtype(np.uint8), (None, 8, 8, 3))}
SIZES = [(256, 448), (384, 640)]

buckets = st.sets(st.integers(1, 16), min_size=1).map(lambda made: tuple(sorted(made)))


@given(st.integers(1, 50), buckets)
def test_padded_pieces_without_the_padding_are_the_batch(items, buckets):
    batch = {"x": np.arange(items)}
    pieces = list(in_buckets(batch, Profile(None, buckets)))

    np.testing.assert_array_equal(
        np.concatenate([piece["x"][:count] for piece, count in pieces]), batch["x"]
    )
    assert {len(piece["x"]) for piece, _ in pieces} <= set(buckets)


@given(st.integers(1, 50), buckets)
def test_padding_repeats_an_item_of_the_batch(items, buckets):
    for piece, count in in_buckets({"x": np.arange(items) + 1}, Profile(None, buckets)):
        assert (piece["x"][count:] == piece["x"][count - 1]).all()


def test_every_input_size_has_a_profile_and_a_fixed_input_has_one():
    assert [p.size_hw for p in profiles(FRAME, SIZES, (1, 2))] == SIZES
    assert profiles(CROP, SIZES, (1, 2)) == (Profile(None, (1, 2)),)


def test_a_profile_fills_the_open_axes():
    assert Profile((256, 448), (1, 2)).shape(FRAME["image_bgr"], 2) == (2, 256, 448, 3)
    assert Profile((256, 448), (1, 2)).shape(FRAME["intrinsics"], 2) == (2, 4)


def test_a_batch_finds_the_profile_of_its_size():
    batch = {
        "image_bgr": np.zeros((2, 384, 640, 3), np.uint8),
        "intrinsics": np.zeros((2, 4), np.float32),
    }

    assert profile_of(batch, FRAME, profiles(FRAME, SIZES, (1, 2))) == 1


def test_a_size_that_was_not_built_is_refused_with_those_that_were():
    batch = {
        "image_bgr": np.zeros((1, 320, 320, 3), np.uint8),
        "intrinsics": np.zeros((1, 4), np.float32),
    }

    with pytest.raises(
        RunnerError,
        match=r"no engine profile .*\(320, 320, 3\).*\(256, 448\), \(384, 640\)",
    ):
        profile_of(batch, FRAME, profiles(FRAME, SIZES, (1,)))


def test_a_stage_of_any_size_needs_to_be_told_the_sizes():
    with pytest.raises(RunnerError, match="say which"):
        profiles(FRAME, [], (1,))


@pytest.mark.parametrize("wrong", [(), (0, 1), (2, 1), (1, 1)])
def test_buckets_must_rise(wrong):
    with pytest.raises(RunnerError, match="must rise"):
        Profile(None, wrong)
