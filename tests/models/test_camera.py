"""Facts about pinhole cameras."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from posecascade.models.camera import (
    as_row,
    assumed,
    back_project,
    project,
    through_window,
)
from posecascade.models.crops import Window
from posecascade.models.records import Camera, CameraSource
from tests.standing import CAMERA, standing_mm

FOCALS = st.floats(50, 5000)
CENTRES = st.floats(-500, 3000)
CAMERAS = st.builds(Camera, FOCALS, FOCALS, CENTRES, CENTRES)
POINTS = st.integers(0, 6).flatmap(
    lambda n: arrays(np.float64, (n, 2), elements=st.floats(-3000, 3000))
)


@given(CAMERAS, POINTS, st.floats(100, 30_000))
def test_lifted_pixels_project_back_to_where_they_were(camera, uv_px, depth_mm):
    lifted = back_project(uv_px, np.full(len(uv_px), depth_mm), camera)

    np.testing.assert_allclose(project(lifted, camera), uv_px, atol=1e-6)
    np.testing.assert_allclose(lifted[:, 2], depth_mm)


@given(CAMERAS, st.floats(-400, 400), st.floats(-400, 400), st.floats(0.05, 20))
def test_the_camera_of_a_window_sees_what_the_window_shows(camera, x_px, y_px, scale):
    joints_mm = standing_mm() + [200, -100, 4000]
    in_window = Window(x_px, y_px, scale).to_crop(project(joints_mm, camera))

    np.testing.assert_allclose(
        project(joints_mm, through_window(camera, x_px, y_px, scale)),
        in_window,
        atol=1e-5,
    )


@given(st.integers(1, 4000), st.integers(1, 4000), st.floats(10, 170))
def test_an_assumed_camera_spans_its_field_of_view_on_the_long_side(
    width, height, fov_deg
):
    camera = assumed(width, height, fov_deg)
    half_px = max(width, height) / 2

    assert camera.fx == camera.fy
    assert (camera.cx, camera.cy) == (width / 2, height / 2)
    assert np.degrees(2 * np.arctan(half_px / camera.fx)) == pytest.approx(fov_deg)
    assert camera.source is CameraSource.ASSUMED


@pytest.mark.parametrize("fov_deg", [0, -5, 180, float("nan")])
def test_an_impossible_field_of_view_is_refused_by_name(fov_deg):
    with pytest.raises(ValueError, match="fov_deg must be between 0 and 180"):
        assumed(640, 480, fov_deg)


@pytest.mark.parametrize("depth_mm", [0.0, -1.0, float("nan")])
def test_nothing_is_lifted_to_a_depth_behind_the_camera(depth_mm):
    with pytest.raises(ValueError, match="depth_mm must be positive"):
        back_project(np.zeros((2, 2)), np.array([1000.0, depth_mm]), CAMERA)


def test_a_row_holds_the_intrinsics_in_the_order_of_the_networks():
    assert as_row(Camera(1, 2, 3, 4)).tolist() == [1, 2, 3, 4]
    assert as_row(CAMERA).dtype == np.float32
