"""Light of a batch of scenes: sky as harmonics, sun with a shadow map."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import normalize

from posecascade.models.lab.rendering.atlas import Atlas
from posecascade.models.lab.rendering.columns import Columns
from posecascade.models.lab.rendering.environments import irradiance
from posecascade.models.lab.rendering.meshes import Soup
from posecascade.models.lab.rendering.raster import Triangles, rasterise
from posecascade.models.lab.rendering.view import spun

_MAP_PX = 384
_WIDEST_M = 12
_BEFORE_SUN_M = 60
"""Added to depths along the sun, which may be negative."""
_BIAS_M = 0.03
_TAPS_PX = ((-0.7, -0.4), (0.5, -0.7), (0.7, 0.5), (-0.4, 0.7))


@dataclass(frozen=True, slots=True, eq=False)
class Shadows:
    """Orthographic depth along the sun, one window a frame."""

    to_sun: Tensor
    """[B, 3, 3] rows: across, up, away from the sun."""
    low_m: Tensor
    """[B, 2] corner of the window."""
    scale_px_m: Tensor
    """[B]"""
    depth: Tensor
    """[B, 384, 384]"""

    def lit(self, frame: Tensor, points_m: Tensor) -> Tensor:
        """[N] share of the sun that reaches world points [N, 3]; 1 outside the window."""
        seen = (self.to_sun[frame] @ points_m[..., None])[..., 0]
        at = (seen[:, :2] - self.low_m[frame]) * self.scale_px_m[frame][:, None]
        depth = seen[:, 2] + _BEFORE_SUN_M - _BIAS_M
        total = torch.zeros_like(seen[:, 0])
        for offset in _TAPS_PX:
            column, row = torch.floor(at + at.new_tensor(offset)).long().unbind(1)
            inside = (column >= 0) & (row >= 0) & (column < _MAP_PX) & (row < _MAP_PX)
            nearest = self.depth[
                frame, row.clamp(0, _MAP_PX - 1), column.clamp(0, _MAP_PX - 1)
            ]
            total = total + torch.where(
                inside, (nearest > depth).float(), torch.ones_like(depth)
            )
        return total / len(_TAPS_PX)


def cast_shadows(sun: Tensor, soup: Soup, atlas: Atlas) -> Shadows:
    """`sun` [B, 3] directions towards it."""
    upright = torch.tensor([[0.0, 1, 0]], device=sun.device).expand_as(sun)
    across = normalize(torch.cross(sun, upright, dim=1), dim=1)
    to_sun = torch.stack([across, torch.cross(across, sun, dim=1), -sun], 1)
    frame = soup.vertex_frame
    seen = (to_sun[frame] @ soup.vertices_m[..., None])[..., 0]
    low, high = _bounds(seen[:, :2], frame, len(sun))
    scale = _MAP_PX / ((high - low).amax(1).clamp(1e-2, _WIDEST_M) + 0.1)
    low = low - 0.05
    at = (seen[:, :2] - low[frame]) * scale[frame][:, None]
    xyz = torch.cat([at, seen[:, 2:] + _BEFORE_SUN_M], 1)
    return Shadows(
        to_sun,
        low,
        scale,
        rasterise(triangles_of(soup, xyz, len(sun), _MAP_PX, atlas)).depth,
    )


def _bounds(points: Tensor, frame: Tensor, frames: int) -> tuple[Tensor, Tensor]:
    index = frame[:, None].expand(-1, 2)
    far = points.new_full((frames, 2), 1e9)
    return far.scatter_reduce(0, index, points, "amin"), (-far).scatter_reduce(
        0, index, points, "amax"
    )


def triangles_of(
    soup: Soup, xyz: Tensor, frames: int, size_px: int, atlas: Atlas
) -> Triangles:
    """What the z-buffer needs of a soup whose vertices are at `xyz` [V, 3] in the pictures."""
    layer = soup.materials.alpha[soup.part]
    return Triangles(
        xyz,
        soup.triangles,
        soup.frame,
        frames,
        size_px,
        layer,
        soup.uv,
        atlas.alpha_maps,
    )


@dataclass(frozen=True, slots=True, eq=False)
class Illumination:
    """Sun and sky of B scenes."""

    sun: Tensor
    sun_rgb: Tensor
    ambient: Tensor
    """[B]"""
    harmonics: Tensor
    """[B, 9, 3]"""
    yaw_rad: Tensor
    shadows: Shadows

    @classmethod
    def of(cls, light: Columns, harmonics: Tensor, shadows: Shadows) -> "Illumination":
        """`light` is `scene.Light` in tensors; `harmonics` [E, 9, 3] of all environments."""
        own = harmonics[light.environment]
        return cls(
            light.sun,
            light.sun_rgb,
            light.ambient,
            own,
            light.environment_yaw_rad,
            shadows,
        )

    def sky(self, frame: Tensor, normal: Tensor, colour: float) -> Tensor:
        """[..., 3] light of the sky on normals [..., 3], greyed down to a share of its `colour`."""
        light = irradiance(self.harmonics[frame], spun(normal, self.yaw_rad[frame]))
        return light.mean(-1, keepdim=True) * (1 - colour) + light * colour
