"""Linear surface colour of visible points, one kind of material at a time."""

from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

from posecascade.models.lab.rendering.atlas import GAMMA, LUMINANCE, Atlas
from posecascade.models.lab.rendering.body import BodyModel
from posecascade.models.lab.rendering.parts import Kind, Materials, Paint

_WAIST_M: Final = 0.93
"""Of the body at rest: dye above and below it differs."""
_RINGS = 1
_STRIPES = 2
_IRIS_M: Final = 0.0062


@dataclass(frozen=True, slots=True, eq=False)
class Points:
    """N visible points."""

    materials: Materials
    """N rows."""
    rest_m: Tensor
    """[N, 3] of the body at rest."""
    uv: Tensor
    level: Tensor
    """[N] of the mip chain."""


class Palette:
    """Colours points; knows where the face of the mean body is."""

    def __init__(self, atlas: Atlas, body: BodyModel) -> None:
        self._atlas = atlas
        self._face = body.landmarks[0, 0]
        self._eye = body.heads[0, body.bone["eye.L"]]

    def __call__(self, points: Points) -> Tensor:
        """[N, 3]"""
        own = points.materials
        rgb, relative = self._textured(points)
        for kinds, colour in (
            ((Kind.SUIT, Kind.SHOE), _dyed),
            ((Kind.SKIN,), self._skin),
            ((Kind.HAIR,), _hair),
            ((Kind.BROW,), _brow),
            ((Kind.EYE,), self._eyes),
        ):
            mask = (own.kind == kinds[0]) | (own.kind == kinds[-1])
            which = torch.nonzero(mask).flatten()
            rgb[which] = colour(
                own.taken(which), points.rest_m[which], relative[which], rgb[which]
            )
        return rgb

    def _textured(self, points: Points) -> tuple[Tensor, Tensor]:
        """Colours [N, 3] from the atlas, and their luminance [N, 1] relative to the mean of the layer."""
        own = points.materials
        rgb = own.rgb.clone()
        luminance = torch.ones_like(own.rgb[:, :1])
        which = torch.nonzero(own.layer >= 0).flatten()
        texel = self._atlas.sample(
            own.layer[which], points.uv[which], points.level[which]
        )
        rgb[which] = rgb[which] * texel
        luminance[which] = (texel @ texel.new_tensor(LUMINANCE))[:, None]
        return rgb, luminance / own.luminance[:, None].clamp_min(0.08) ** GAMMA

    def _skin(
        self, own: Materials, rest: Tensor, relative: Tensor, rgb: Tensor
    ) -> Tensor:
        """Lips, cheeks, eye sockets and the hair's shadow on the scalp, from where they are at rest."""
        x, y, z = (rest - self._face).unbind(1)
        front = (z > -0.06).float()
        lips = _spot((x / 0.021) ** 4 + ((y + 0.036) / 0.0075) ** 2, front)
        cheek = _spot(((x.abs() - 0.04) / 0.02) ** 2 + ((y + 0.01) / 0.022) ** 2, front)
        socket = _spot(
            ((x.abs() - 0.033) / 0.016) ** 2 + ((y - 0.036) / 0.010) ** 2, front
        )
        line = (
            0.073
            + 0.55 * (z + 0.05).clamp_max(0)
            - 0.12 * (x.abs() - 0.06).clamp_min(0)
        )
        scalp = (torch.sigmoid((y - line) / 0.004) * (y > -0.09) * ~own.shaved)[:, None]
        skin = own.rgb * _mottling(rest) * (1 - 0.22 * socket)
        skin = skin * (1 - 0.5 * lips * rest.new_tensor([0.35, 0.9, 0.8]))
        skin = skin * (1 - cheek * rest.new_tensor([0, 0.14, 0.12]))
        return (skin * (1 - scalp) + own.hair_rgb.pow(0.77) * 0.9 * scalp).pow(1.3)

    def _eyes(
        self, own: Materials, rest: Tensor, relative: Tensor, rgb: Tensor
    ) -> Tensor:
        squared = (rest[:, 0].abs() - self._eye[0]) ** 2 + (
            rest[:, 1] - self._eye[1]
        ) ** 2
        iris = (squared < _IRIS_M**2).float()[:, None]
        return (0.75 * (1 - iris) + own.iris[:, None] * iris * 0.5).expand(-1, 3)


def _spot(squared: Tensor, front: Tensor) -> Tensor:
    return (torch.exp(-squared) * front)[:, None]


def _mottling(rest: Tensor) -> Tensor:
    """[N, 3] about 1: blotches, and pores from a hash of cells of 3 mm."""
    x, y, z = rest.split(1, 1)
    blotch = (
        0.07
        * torch.sin(x * 61 + 3 * torch.sin(y * 47))
        * torch.sin(z * 53 + 2 * torch.sin(x * 71))
    )
    cell = torch.floor(rest * 300) * rest.new_tensor([12.99, 78.23, 37.72])
    pore = torch.frac(torch.sin(cell.sum(1, keepdim=True)) * 43758.5).abs() - 0.5
    red = (
        rest.new_tensor([0, 1, 1])
        * torch.sin(x * 29 + 2 * torch.sin(z * 37))
        * torch.sin(y * 23)
    )
    return 1 + blotch + rest.new_tensor([0.05, 0.10, 0.11]) * pore + 0.05 * red


def _dyed(own: Materials, rest: Tensor, relative: Tensor, rgb: Tensor) -> Tensor:
    low = rest[:, 1] < _WAIST_M
    dye = _chosen(low, own.lower, own.upper)
    pattern = dye.pattern[:, None]
    wave = dye.frequency[:, None] * 6
    rings = torch.sin(rest[:, 1:2] * wave) > 0.3
    stripes = torch.sin(rest[:, 0:1] * wave) > 0.3
    checks = rings ^ stripes
    on = torch.where(
        pattern == _RINGS, rings, torch.where(pattern == _STRIPES, stripes, checks)
    ) & (pattern > 0)
    cloth = (
        torch.where(on, dye.second_rgb, dye.tint_rgb) * relative.clamp(0, 2.2) ** 0.6
    )
    return rgb * (1 - dye.amount[:, None]) + cloth * dye.amount[:, None]


def _chosen(low: Tensor, lower: Paint, upper: Paint) -> Paint:
    def column(name: str) -> Tensor:
        a = getattr(lower, name)
        b = getattr(upper, name)
        return torch.where(low[:, None] if a.ndim > 1 else low, a, b)

    return Paint(
        *map(column, ("tint_rgb", "amount", "pattern", "frequency", "second_rgb"))
    )


def _hair(own: Materials, rest: Tensor, relative: Tensor, rgb: Tensor) -> Tensor:
    return (own.hair_rgb * relative.clamp(0.15, 2.2) ** 0.8).clamp_max(0.75)


def _brow(own: Materials, rest: Tensor, relative: Tensor, rgb: Tensor) -> Tensor:
    return own.hair_rgb * 0.7
