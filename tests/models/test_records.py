"""Facts about the records between modules."""

import dataclasses

import numpy as np
import pytest

from posecascade.models.records import Camera, Pose
from tests.standing import standing


@pytest.fixture
def pose() -> Pose:
    return standing((100, -50, 3000), sigma_mm=40).pose


def test_joints_in_camera_space_are_the_relative_ones_at_the_root(pose):
    np.testing.assert_allclose(pose.joints_mm - pose.joints_mm[0], pose.joints_rel_mm)
    np.testing.assert_allclose(pose.joints_mm[0], [100, -50, 3000])


@pytest.mark.parametrize(
    "name", ["joints_px", "joint_scores", "joints_rel_mm", "sigma_mm", "root_mm"]
)
def test_a_pose_cannot_be_changed(pose, name):
    with pytest.raises(ValueError, match="read-only"):
        getattr(pose, name)[0] = 1


@pytest.mark.parametrize(
    ("name", "shape"),
    [("joints_px", (25, 3)), ("sigma_mm", (17,)), ("root_mm", (1, 3))],
)
def test_a_column_of_the_wrong_shape_is_refused_with_both_shapes(pose, name, shape):
    with pytest.raises(
        ValueError, match=rf"want shapes .* got .*{name}'?: \({shape[0]}, ?"
    ):
        dataclasses.replace(pose, **{name: np.zeros(shape)})


def test_the_expected_error_is_the_mean_distance_of_a_3d_laplace_of_that_sigma(pose):
    rng = np.random.default_rng(0)
    r = rng.gamma(3, 1, 200_000)  # density of the radius: r^2 exp(-r)

    assert pose.expected_error_mm == pytest.approx(
        40 * r.mean() / np.sqrt((r**2).mean()), rel=0.01
    )


@pytest.mark.parametrize(
    "change", [{"fx": 0}, {"fy": -1}, {"cx": float("nan")}, {"fx": float("inf")}]
)
def test_a_camera_without_finite_positive_focal_lengths_is_refused(change):
    with pytest.raises(ValueError, match="finite intrinsics with fx, fy > 0"):
        Camera(**({"fx": 500.0, "fy": 500.0, "cx": 320.0, "cy": 240.0} | change))
