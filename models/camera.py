"""Pinhole cameras: intrinsics from a field of view, through crops and resizes, and back to space."""

import math
from dataclasses import replace

import numpy as np

from posecascade.models.arrays import Floats
from posecascade.models.records import Camera, CameraSource

ASSUMED_FOV_DEG = 55.0
"""Field of view on the long side of a picture whose camera is unknown."""


def assumed(
    width: int,
    height: int,
    fov_deg: float = ASSUMED_FOV_DEG,
    source: CameraSource = CameraSource.ASSUMED,
) -> Camera:
    """A camera with square pixels, looking through the middle of the picture.

    Args:
        width: of the picture, pixels.
        height: of the picture, pixels.
        fov_deg: on the long side, between 0 and 180.
        source: what to state as the origin of the figures.

    Raises:
        ValueError: the field of view is out of range.
    """
    if not 0 < fov_deg < 180:
        raise ValueError(f"fov_deg must be between 0 and 180, got {fov_deg}")
    focal = max(width, height) / 2 / math.tan(math.radians(fov_deg) / 2)
    return Camera(focal, focal, width / 2, height / 2, source)


def through_window(camera: Camera, x_px: float, y_px: float, scale: float) -> Camera:
    """The camera of a window that starts at (x_px, y_px) and is enlarged by `scale`."""
    return replace(
        camera,
        fx=camera.fx * scale,
        fy=camera.fy * scale,
        cx=(camera.cx - x_px) * scale,
        cy=(camera.cy - y_px) * scale,
    )


def as_row(camera: Camera) -> Floats:
    """[4] fx, fy, cx, cy as the networks take them."""
    return np.array([camera.fx, camera.fy, camera.cx, camera.cy], np.float32)


def project(joints_mm: Floats, camera: Camera) -> Floats:
    """Pixels [..., 2] of points [..., 3] in camera space that lie in front of the camera."""
    focal = np.array([camera.fx, camera.fy])
    centre = np.array([camera.cx, camera.cy])
    uv_px: Floats = joints_mm[..., :2] / joints_mm[..., 2:] * focal + centre
    return uv_px


def back_project(uv_px: Floats, depth_mm: Floats, camera: Camera) -> Floats:
    """Lift pixels [..., 2] at depths [...] along the optical axis to camera space [..., 3].

    Raises:
        ValueError: a depth is zero, negative or NaN.

    Source: Hartley & Zisserman, 2nd ed., section 6.1.
    """
    depth = np.asarray(depth_mm)
    if not (depth > 0).all():
        raise ValueError(f"depth_mm must be positive, got {depth.min()}")
    rays = (uv_px - [camera.cx, camera.cy]) / [camera.fx, camera.fy]
    return np.concatenate([rays * depth[..., None], depth[..., None]], -1)
