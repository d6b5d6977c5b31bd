"""What is behind the people: a room, a panorama seen along the rays, or a photo. All three receive their shadows.

Colours are taken at full resolution, light at half.
"""

import math
from typing import Final

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import grid_sample

from posecascade.models.lab.rendering.atlas import SIZE, Atlas
from posecascade.models.lab.rendering.columns import Columns
from posecascade.models.lab.rendering.environments import Environments
from posecascade.models.lab.rendering.photos import Photos
from posecascade.models.lab.rendering.scene import Backdrop, Scenes
from posecascade.models.lab.rendering.shadows import Illumination
from posecascade.models.lab.rendering.view import View, enlarged, spun

_NEVER_M: Final = 1e9
_LEVEL: Final = 1e-3
_FLOOR_SEEN_M: Final = 25
_FLOOR, _CEILING, _BACK, _SIDES = range(4)
_NORMALS: Final = ((0.0, 1, 0), (0, -1, 0), (0, 0, -1), (0, 0, 0))
"""Of floor, ceiling and back wall; side walls face the ray."""
_CEILING_GREY: Final = 0.95
_CEILING_REPEATS: Final = 0.3


class Scenery:
    """Paints backdrops; owns nothing but references to what the renderer owns."""

    def __init__(
        self, atlas: Atlas, environments: Environments, photos: Photos | None
    ) -> None:
        self._atlas = atlas
        self._environments = environments
        self._photos = photos

    def paint(
        self, scenes: Scenes, columns: Columns, view: View, light: Illumination
    ) -> Tensor:
        """[B, S, S, 3] linear RGB. `columns` are the scenes in tensors; one pass a kind of backdrop."""
        device = view.focal_px.device
        image = torch.zeros(len(scenes), view.size_px, view.size_px, 3, device=device)
        painters = {
            Backdrop.ROOM: self._room,
            Backdrop.PANORAMA: self._panorama,
            Backdrop.PHOTO: self._photo,
        }
        for kind, painter in painters.items():
            frames = torch.from_numpy(np.flatnonzero(scenes.backdrop == kind)).to(
                device
            )
            if len(frames):
                image[frames] = painter(columns, frames, view.of_frames(frames), light)
        return image

    def _room(
        self, columns: Columns, frames: Tensor, view: View, light: Illumination
    ) -> Tensor:
        room = columns.room.taken(frames)
        albedo = self._papered(room, view)
        rays = view.rays(2)
        _, wall, point = _first_wall(rays, room, view)
        inwards = torch.zeros_like(rays)
        inwards[..., 0] = -torch.sign(rays[..., 0])
        normal = torch.where(
            (wall == _SIDES)[..., None], inwards, rays.new_tensor(_NORMALS)[wall]
        )
        frame = frames[:, None, None]
        reached = _sunlit(light, frames, point)
        facing = (normal * light.sun[frame]).sum(-1, keepdim=True).clamp_min(0)
        corner = 1 - 0.3 * torch.exp(-point[..., 1:2].clamp_min(0) / 0.25)
        sky = light.sky(frame, normal, 0.25) * light.ambient[frame][..., None] * corner
        return albedo * enlarged(
            sky + light.sun_rgb[frame] * reached * facing, view.size_px
        )

    def _papered(self, room: Columns, view: View) -> Tensor:
        """[N, S, S, 3] textures of floor, ceiling and walls."""
        distance, wall, point = _first_wall(view.rays(1), room, view)
        row = torch.arange(len(wall), device=wall.device)[:, None, None]
        floor, walls = room.repeats.unbind(1)
        repeats = torch.stack(
            [floor, torch.full_like(floor, _CEILING_REPEATS), walls, walls], 1
        )[row, wall]
        level = (
            torch.log2(
                (distance * repeats / view.focal_px[:, None, None] * SIZE).clamp_min(1)
            )
            + 0.3
        )
        layer = room.surface[row, wall]
        uv = _on_wall(point, wall) * repeats[..., None]
        texel = self._atlas.sample(
            layer.flatten(), uv.reshape(-1, 2), level.flatten()
        ).view(*layer.shape, 3)
        ceiling = torch.full_like(room.tint_rgb[:, 0], _CEILING_GREY)
        tint = torch.stack(
            [room.tint_rgb[:, 0], ceiling, room.tint_rgb[:, 1], room.tint_rgb[:, 2]], 1
        )
        return texel * tint[row, wall]

    def _panorama(
        self, columns: Columns, frames: Tensor, view: View, light: Illumination
    ) -> Tensor:
        x, y, z = spun(view.rays(2), light.yaw_rad[frames][:, None, None]).unbind(-1)
        u = (torch.atan2(x, -z) / (2 * math.pi)) % 1 * 2 - 1
        v = torch.acos(y.clamp(-1, 1)) / math.pi * 2 - 1
        picture = self._environments.linear_rgb[
            columns.light.environment[frames]
        ].permute(0, 3, 1, 2)
        seen = grid_sample(
            picture, torch.stack([u, v], -1), padding_mode="border", align_corners=False
        )
        return self._shadowed(
            enlarged(seen.permute(0, 2, 3, 1), view.size_px), frames, view, light
        )

    def _photo(
        self, columns: Columns, frames: Tensor, view: View, light: Illumination
    ) -> Tensor:
        if self._photos is None:
            raise ValueError("want photos for scenes that stand on one, got none")
        square = self._photos.crop(
            columns.photo[frames], columns.crop_px[frames], view.size_px
        )
        toned = (square * columns.tone[frames][:, None, None, None]).clamp(0, 1)
        return self._shadowed(toned, frames, view, light)

    def _shadowed(
        self, base: Tensor, frames: Tensor, view: View, light: Illumination
    ) -> Tensor:
        """Darkens the ground where the people take the sun; how much depends on the sun's share of the light."""
        rays = view.rays(2)
        distance = _to_floor(rays, view.eye_m[:, 1, None, None])
        point = (
            view.eye_m[:, None, None]
            + rays * distance.clamp_max(_FLOOR_SEEN_M)[..., None]
        )
        reached = _sunlit(light, frames, point)
        sun = light.sun_rgb[frames].mean(1) * light.sun[frames, 1]
        share = (sun / (sun + light.ambient[frames]))[:, None, None, None]
        near = (distance < _FLOOR_SEEN_M)[..., None]
        shade = torch.where(
            near, 1 - 0.85 * share * (1 - reached), torch.ones_like(reached)
        )
        return base * enlarged(shade, view.size_px)


def _sunlit(light: Illumination, frames: Tensor, points_m: Tensor) -> Tensor:
    """[N, h, w, 1] at world points [N, h, w, 3]."""
    frame = frames[:, None, None].expand(points_m.shape[:3]).flatten()
    return light.shadows.lit(frame, points_m.reshape(-1, 3)).view(
        *points_m.shape[:3], 1
    )


def _to_floor(rays: Tensor, eye_m: Tensor) -> Tensor:
    down = rays[..., 1]
    return torch.where(
        down < -_LEVEL,
        -eye_m / down.clamp_max(-_LEVEL),
        torch.full_like(down, _NEVER_M),
    )


def _first_wall(
    rays: Tensor, room: Columns, view: View
) -> tuple[Tensor, Tensor, Tensor]:
    """Distance [N, h, w], wall and point [N, h, w, 3] where rays meet the room first."""
    eye = view.eye_m[:, 1, None, None]
    never = torch.full_like(rays[..., 0], _NEVER_M)
    width, depth, height = (
        side[:, None, None] for side in (room.width_m, room.depth_m, room.height_m)
    )
    x, y, z = rays.unbind(-1)
    ceiling = torch.where(y > _LEVEL, (height - eye) / y.clamp_min(_LEVEL), never)
    back = torch.where(z > _LEVEL, depth / z.clamp_min(_LEVEL), never)
    sides = width / x.abs().clamp_min(_LEVEL)
    distance, wall = torch.stack([_to_floor(rays, eye), ceiling, back, sides], -1).min(
        -1
    )
    point = rays * distance[..., None]
    point[..., 1] += eye
    return distance, wall, point


def _on_wall(point_m: Tensor, wall: Tensor) -> Tensor:
    """[N, h, w, 2] metres along each wall."""
    level = (wall <= _CEILING)[..., None]
    back = (wall == _BACK)[..., None]
    upright = torch.where(back, point_m[..., [0, 1]], point_m[..., [2, 1]])
    return torch.where(level, point_m[..., [0, 2]], upright)
