"""Deferred shading: every pixel where the z-buffer found a triangle gets the colour of that point."""

from typing import Final, NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import normalize

from posecascade.models.lab.rendering.albedo import Palette, Points
from posecascade.models.lab.rendering.meshes import Soup
from posecascade.models.lab.rendering.parts import Kind
from posecascade.models.lab.rendering.shadows import Illumination
from posecascade.models.lab.rendering.view import View

_FOLDS: Final = 0.16
_OFF_SURFACE_M: Final = 0.015
_SHINE: Final = 12
_BLEEDING: Final = (1, 0.45, 0.3)
"""Colour of light that has been below the skin."""


class _Surface(NamedTuple):
    """N visible points."""

    frame: Tensor
    triangle: Tensor
    position_m: Tensor
    """[N, 3] world."""
    rest_m: Tensor
    normal: Tensor
    uv: Tensor
    depth_m: Tensor


def shade(
    image: Tensor,
    seen: Tensor,
    soup: Soup,
    normals: Tensor,
    xyz: Tensor,
    view: View,
    light: Illumination,
    palette: Palette,
) -> Tensor:
    """Puts the people and things into linear RGB `image` [B, S, S, 3].

    Args:
        seen: [B, S, S] triangle at each pixel, -1 none.
        normals: [V, 3]
        xyz: [V, 3] vertices in the picture, and their depth.
    """
    frame, row, column = torch.nonzero(seen >= 0, as_tuple=True)
    if not len(frame):
        return image
    triangle = seen[frame, row, column].long()
    surface = _interpolated(
        soup, normals, xyz, frame, triangle, torch.stack([column, row], 1) + 0.5
    )
    image[frame, row, column] = _lit(surface, soup, view, light, palette)
    return image


def _interpolated(
    soup: Soup,
    normals: Tensor,
    xyz: Tensor,
    frame: Tensor,
    triangle: Tensor,
    at_px: Tensor,
) -> _Surface:
    corner = soup.triangles[triangle]
    weight, depth = _weights(xyz[corner], at_px)

    def mixed(values: Tensor) -> Tensor:
        return (weight * values).sum(1)

    return _Surface(
        frame,
        triangle,
        mixed(soup.vertices_m[corner]),
        mixed(soup.rest_m[corner]),
        normalize(mixed(normals[corner]), dim=1),
        mixed(soup.uv[triangle]),
        depth,
    )


def _weights(corner: Tensor, at_px: Tensor) -> tuple[Tensor, Tensor]:
    """Shares [N, 3, 1] of projected corners [N, 3, 3] at pixels [N, 2], right in perspective; depths [N]."""
    x = corner[..., 0]
    y = corner[..., 1]
    inverse = 1 / corner[..., 2]
    dx = x - at_px[:, :1]
    dy = y - at_px[:, 1:]
    scale = 1 / (
        (x[:, 1] - x[:, 0]) * (y[:, 2] - y[:, 0])
        - (x[:, 2] - x[:, 0]) * (y[:, 1] - y[:, 0])
    )
    first = (dx[:, 1] * dy[:, 2] - dx[:, 2] * dy[:, 1]) * scale
    second = (dx[:, 2] * dy[:, 0] - dx[:, 0] * dy[:, 2]) * scale
    weight = torch.stack([first, second, 1 - first - second], 1) * inverse
    depth = 1 / weight.sum(1)
    return (weight * depth[:, None])[..., None], depth


def _lit(
    surface: _Surface, soup: Soup, view: View, light: Illumination, palette: Palette
) -> Tensor:
    """[N, 3] linear: sky, sun with shadows, a little gloss, and light that bleeds through skin."""
    own = soup.materials.taken(soup.part[surface.triangle])
    frame = surface.frame
    towards_eye = normalize(view.eye_m[frame] - surface.position_m, dim=1)
    normal = _folded(surface, towards_eye, own.kind)
    level = torch.log2((surface.depth_m / view.focal_px[frame] * 400.0).clamp_min(1))
    base = palette(Points(own, surface.rest_m, surface.uv, level))
    sky = (
        light.sky(frame, normal, 0.45)
        * light.ambient[frame][:, None]
        * _openness(surface.position_m, normal)
    )
    sun = light.sun[frame]
    sun_rgb = light.sun_rgb[frame]
    facing = (normal * sun).sum(1, keepdim=True)
    reached = light.shadows.lit(frame, surface.position_m + normal * _OFF_SURFACE_M)[
        :, None
    ]
    half = normalize(sun + towards_eye, dim=1)
    gloss = (
        (normal * half).sum(1, keepdim=True).clamp_min(0) ** _SHINE
        * own.gloss[:, None]
        * reached
    )
    skin = (own.kind == Kind.SKIN).float()[:, None]
    bleeding = (
        skin
        * base
        * sun_rgb
        * 0.07
        * ((facing + 0.3) / 1.3).clamp_min(0)
        * base.new_tensor(_BLEEDING)
    )
    return (
        base * (sky + sun_rgb * reached * facing.clamp_min(0))
        + gloss * sun_rgb * 0.35
        + bleeding
    )


def _folded(surface: _Surface, towards_eye: Tensor, kind: Tensor) -> Tensor:
    """[N, 3] normals that face the eye, with the folds and strands that no mesh carries."""
    away = ((surface.normal * towards_eye).sum(1) < 0)[:, None]
    normal = torch.where(away, -surface.normal, surface.normal)
    soft = ((kind == Kind.SUIT) | (kind == Kind.HAIR)).float()[:, None]
    (x, y, z) = (surface.rest_m * 38).unbind(1)
    (slow_x, slow_y, _) = (surface.rest_m * 23).unbind(1)
    bump = [
        torch.sin(y + 2.3 * torch.sin(slow_x)),
        torch.sin(x + 1.7 * torch.sin(slow_y)),
        torch.sin(z + 2 * torch.sin(slow_y + slow_x)),
    ]
    return normalize(normal + soft * _FOLDS * torch.stack(bump, 1), dim=1)


def _openness(position_m: Tensor, normal: Tensor) -> Tensor:
    """[N, 1] how much of the sky is not hidden by the floor and by what stands on it."""
    height = position_m[:, 1:2]
    up = normal[:, 1:2]
    return (0.62 + 0.38 * (height / 0.5).clamp(0, 1)) * torch.where(
        up < 0, 1 + 0.3 * up, torch.ones_like(up)
    )
