"""Cameras of a batch of scenes in torch.

Camera space has OpenCV's axes: x right, y down, z forward. Pixels: the centre of the upper left one is (0.5, 0.5).
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import interpolate, normalize

from posecascade.models.lab.rendering.columns import Columns

_NEAREST_M = 1e-3


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """B square pictures of one size."""

    size_px: int
    world_to_camera: Tensor
    """[B, 3, 3]"""
    eye_m: Tensor
    """[B, 3] world."""
    focal_px: Tensor
    """[B]"""

    @classmethod
    def of(cls, camera: Columns, size_px: int) -> "View":
        """`camera` is `scene.Camera` in tensors."""
        zero = torch.zeros_like(camera.height_m)
        focal = size_px / 2 / torch.tan(camera.fov_rad / 2)
        return cls(
            size_px,
            _rotation(camera),
            torch.stack([zero, camera.height_m, zero], 1),
            focal,
        )

    def of_frames(self, frames: Tensor) -> "View":
        return View(
            self.size_px,
            self.world_to_camera[frames],
            self.eye_m[frames],
            self.focal_px[frames],
        )

    def intrinsics(self) -> Tensor:
        """[B, 3, 3]"""
        f = self.focal_px
        zero = torch.zeros_like(self.focal_px)
        middle = zero + self.size_px / 2
        return torch.stack(
            [f, zero, middle, zero, f, middle, zero, zero, zero + 1], 1
        ).view(-1, 3, 3)

    def to_camera(self, points_m: Tensor, frame: Tensor) -> Tensor:
        """World points [N, 3] in frames [N] -> camera space [N, 3], metres."""
        turned = self.world_to_camera[frame] @ (points_m - self.eye_m[frame])[..., None]
        return turned[..., 0]

    def to_image(self, camera_m: Tensor, frame: Tensor) -> Tensor:
        """Camera space [N, 3] -> pixels [N, 2]; meaningless behind the camera."""
        front = camera_m[:, 2:].clamp_min(_NEAREST_M)
        return (
            camera_m[:, :2] / front * self.focal_px[frame][:, None] + self.size_px / 2
        )

    def rays(self, step: int) -> Tensor:
        """World directions [B, S/step, S/step, 3] through every `step`-th pixel."""
        at = (
            torch.arange(0, self.size_px, step, device=self.focal_px.device)
            + step / 2
            - self.size_px / 2
        )
        count = len(self.focal_px)
        side = len(at)
        x = at[None, None, :] / self.focal_px[:, None, None]
        y = at[None, :, None] / self.focal_px[:, None, None]
        forward = torch.ones(count, side, side, device=at.device)
        rays = torch.stack([x.expand_as(forward), y.expand_as(forward), forward], -1)
        return normalize(
            (rays.view(count, -1, 3) @ self.world_to_camera).view(count, side, side, 3),
            dim=-1,
        )


def _rotation(camera: Columns) -> Tensor:
    """[B, 3, 3] yaw about the vertical, then pitch, then roll."""
    base = torch.diag(torch.tensor([-1.0, -1, 1], device=camera.yaw_rad.device))
    return (
        _about(2, camera.roll_rad)
        @ _about(0, camera.pitch_rad)
        @ base
        @ _about(1, -camera.yaw_rad)
    )


def _about(axis: int, angle_rad: Tensor) -> Tensor:
    cos = torch.cos(angle_rad)
    sin = torch.sin(angle_rad)
    turn = torch.zeros(len(angle_rad), 3, 3, device=angle_rad.device)
    i, j = ((1, 2), (2, 0), (0, 1))[axis]
    turn[:, axis, axis] = 1
    turn[:, i, i] = turn[:, j, j] = cos
    turn[:, i, j], turn[:, j, i] = -sin, sin
    return turn


def spun(directions: Tensor, yaw_rad: Tensor) -> Tensor:
    """Directions [..., 3] turned about the vertical by [...]."""
    cos = torch.cos(yaw_rad)
    sin = torch.sin(yaw_rad)
    x, y, z = directions.unbind(-1)
    return torch.stack([x * cos + z * sin, y, z * cos - x * sin], -1)


def enlarged(image: Tensor, size_px: int) -> Tensor:
    """[B, h, w, C] -> [B, S, S, C], bilinear."""
    grown = interpolate(
        image.permute(0, 3, 1, 2), size=(size_px, size_px), mode="bilinear"
    )
    return grown.permute(0, 2, 3, 1)
