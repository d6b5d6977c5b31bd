"""Facts about windows and the pictures cut from them."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from posecascade.models.crops import (
    MARGIN,
    SMALLEST_PX,
    Window,
    best_size,
    cut,
    fitted,
    person_window,
    resized,
)

SIZE_HW = (64, 48)
SIZE_PX = 64
MAP = np.dstack(
    [*np.meshgrid(np.arange(240), np.arange(200)), np.full((200, 240), 255)]
).astype(np.uint8)
"""A frame of 240 x 200 whose blue and green say where each pixel is; red says that there is a picture."""

WINDOWS = st.builds(
    Window, st.floats(-150, 300), st.floats(-150, 300), st.floats(0.1, 8)
)
JOINTS_PX = arrays(np.float64, (25, 2), elements=st.floats(-2000, 2000))


@given(WINDOWS, JOINTS_PX)
def test_what_enters_a_window_leaves_it_where_it_was(window, joints_px):
    np.testing.assert_allclose(
        window.to_frame(window.to_crop(joints_px)), joints_px, atol=1e-6
    )


@given(WINDOWS)
def test_a_cut_shows_each_place_of_the_frame_where_the_window_says(window):
    shown = cut(MAP, window, SIZE_HW)
    at = np.dstack(np.meshgrid(np.arange(SIZE_HW[1]), np.arange(SIZE_HW[0]))) + 0.5
    place = window.to_frame(at)  # [S, S, 2]
    # Edges are rounded to whole pixels of the crop, and halving drops at most an odd last row or column.
    slack = 2 / window.scale + 1.5
    inside = (place > slack).all(-1) & (place < np.array([240, 200]) - slack).all(-1)
    beyond = (place < -slack).any(-1) | (place > np.array([240, 200]) + slack).any(-1)

    assert np.abs(shown[inside][:, :2] + 0.5 - place[inside]).max(initial=0) <= slack
    assert (shown[inside][:, 2] == 255).all()
    assert (shown[beyond] == 0).all()


@pytest.mark.parametrize(
    "window", [Window(20, 15, 1.0), Window(-10, 40.5, 1.6), Window(100, 90, 0.8)]
)
def test_a_cut_agrees_with_an_affine_warp_of_a_smooth_picture(window):
    noise = np.random.default_rng(5).integers(0, 256, (200, 240, 3)).astype(np.uint8)
    smooth = cv2.GaussianBlur(noise, (0, 0), 8)
    centre = (
        0.5 * window.scale - 0.5
    )  # OpenCV puts the middle of the first pixel at 0, we at 0.5
    matrix = np.array(
        [
            [window.scale, 0, centre - window.x_px * window.scale],
            [0, window.scale, centre - window.y_px * window.scale],
        ]
    )
    warped = cv2.warpAffine(smooth, matrix, SIZE_HW[::-1], flags=cv2.INTER_LINEAR)
    there = cv2.warpAffine(np.full((200, 240), 255, np.uint8), matrix, SIZE_HW[::-1])

    away_from_edges = cv2.erode(there, np.ones((5, 5))) == 255
    off = np.abs(cut(smooth, window, SIZE_HW).astype(int) - warped)[away_from_edges]
    assert off.size > 1000
    assert (
        off.max() <= 6
    )  # half a pixel of rounding on a slope of a few grey levels a pixel


@given(st.floats(0, 239), st.floats(0, 199), st.floats(1, 199))
def test_a_person_in_the_frame_lies_in_the_middle_of_their_window(x_px, y_px, tall_px):
    joints_px = np.linspace([x_px, y_px], [x_px + tall_px / 3, y_px + tall_px], 25)
    seen = person_window(joints_px, 480, 400, SIZE_HW).to_crop(joints_px)

    np.testing.assert_allclose(
        (seen.min(0) + seen.max(0)) / 2, np.array(SIZE_HW[::-1]) / 2, atol=1e-6
    )
    filled = (np.ptp(seen, axis=0) / SIZE_HW[::-1]).max()
    assert filled == pytest.approx(min(1 / MARGIN, tall_px / SMALLEST_PX))


@given(JOINTS_PX)
def test_joints_far_outside_the_frame_do_not_stretch_the_window(joints_px):
    side_px = SIZE_HW[0] / person_window(joints_px, 240, 200, SIZE_HW).scale

    assert (
        SMALLEST_PX - 1e-6
        <= side_px
        <= MARGIN * 1.2 * 240 * SIZE_HW[0] / SIZE_HW[1] + 1e-6
    )


@given(st.integers(1, 300), st.integers(1, 300))
def test_a_fitted_picture_fills_the_canvas_on_one_side_and_is_black_beyond(
    width, height
):
    canvas, window = fitted(np.full((height, width, 3), 200, np.uint8), (48, SIZE_PX))
    w, h = window.to_crop(np.array([width, height]))

    assert canvas.shape == (48, SIZE_PX, 3)
    assert w == pytest.approx(SIZE_PX) or h == pytest.approx(48)
    assert (canvas[: max(1, round(h)), : max(1, round(w))] == 200).all()
    assert canvas.sum() == 600 * max(1, round(h)) * max(1, round(w))


def test_the_input_size_is_the_one_of_the_picture_s_own_shape():
    sizes = ((384, 640), (640, 384), (512, 512))

    assert [
        best_size(w, h, sizes) for w, h in ((1920, 1080), (1080, 1920), (900, 900))
    ] == list(sizes)


def test_a_fine_pattern_shrinks_to_grey_and_not_to_stripes():
    stripes = np.zeros((256, 256, 3), np.uint8)
    stripes[:, ::2] = 254

    assert np.abs(resized(stripes, (60, 60)).astype(int) - 127).max() <= 2
