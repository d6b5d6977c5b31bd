"""What visible parts are made of, in tensors: one row a piece on a person, or a box."""

from dataclasses import dataclass, replace
from enum import IntEnum

import numpy as np
import torch
from torch import Tensor

from posecascade.models.lab.rendering.atlas import Atlas
from posecascade.models.lab.rendering.columns import Columns
from posecascade.models.lab.rendering.wardrobe import Wardrobe

NOTHING = -1
_CLOTH_GLOSS = 0.06


class Kind(IntEnum):
    """How a surface is coloured."""

    SKIN = 0
    SUIT = 1
    SHOE = 2
    HAIR = 3
    BROW = 4
    EYE = 5
    PROP = 6


@dataclass(frozen=True, eq=False)
class Paint(Columns):
    """A `scene.Dye` on the device."""

    tint_rgb: Tensor
    amount: Tensor
    pattern: Tensor
    frequency: Tensor
    second_rgb: Tensor

    @classmethod
    def of(cls, dye: Columns) -> "Paint":
        return cls(dye.tint_rgb, dye.amount, dye.pattern, dye.frequency, dye.second_rgb)

    @classmethod
    def none(cls, count: int, device: torch.device) -> "Paint":
        zero = torch.zeros(count, device=device)
        colour = torch.zeros(count, 3, device=device)
        return cls(colour, zero, zero, zero, colour)


@dataclass(frozen=True, eq=False)
class Materials(Columns):
    """N parts."""

    kind: Tensor
    layer: Tensor
    """[N] colours in the atlas, -1 none."""
    alpha: Tensor
    """[N] holes in the atlas, -1 none."""
    person: Tensor
    """[N] who wears it, -1 a thing."""
    rgb: Tensor
    """[N, 3] multiplies the colours of the atlas; of skin as displayed, else linear."""
    hair_rgb: Tensor
    upper: Paint
    """Dye above the waist."""
    lower: Paint
    iris: Tensor
    luminance: Tensor
    """[N] mean of the layer."""
    gloss: Tensor
    shaved: Tensor

    @classmethod
    def plain(cls, kind: Kind, count: int, device: torch.device) -> "Materials":
        """Black, with neither texture nor owner."""
        zero = torch.zeros(count, device=device)
        colour = torch.zeros(count, 3, device=device)
        none = torch.full((count,), NOTHING, device=device)
        undyed = Paint.none(count, device)
        return cls(
            kind=torch.full((count,), kind, device=device),
            layer=none,
            alpha=none,
            person=none,
            rgb=colour,
            hair_rgb=colour,
            upper=undyed,
            lower=undyed,
            iris=zero,
            luminance=zero,
            gloss=zero,
            shaved=torch.zeros(count, dtype=torch.bool, device=device),
        )


def worn(appearance: Columns, kind: Kind) -> Materials:
    """Rows [P] of skin, suit, shoes ... before the piece is known; the appearance is in tensors."""
    count = len(appearance.iris)
    device = appearance.iris.device
    plain = replace(
        Materials.plain(kind, count, device),
        person=torch.arange(count, device=device),
        hair_rgb=appearance.hair_rgb,
        iris=appearance.iris,
        gloss=torch.full((count,), _CLOTH_GLOSS, device=device),
        shaved=appearance.shaved,
    )
    if kind is Kind.SKIN:
        return replace(plain, rgb=appearance.skin_rgb, gloss=appearance.gloss)
    dyes = {
        Kind.SUIT: (appearance.top, appearance.bottom),
        Kind.SHOE: (appearance.shoe, appearance.shoe),
    }
    if kind not in dyes:
        return plain
    upper, lower = map(Paint.of, dyes[kind])
    return replace(
        plain, rgb=torch.ones(count, 3, device=device), upper=upper, lower=lower
    )


def covered(surface: Tensor, tint_rgb: Tensor, luminance: Tensor) -> Materials:
    """Rows of boxes [N] under layers of the atlas; `luminance` of all layers."""
    plain = Materials.plain(Kind.PROP, len(surface), surface.device)
    return replace(plain, layer=surface, rgb=tint_rgb, luminance=luminance[surface])


class Swatches:
    """What is known of the texture of every piece of the wardrobe."""

    def __init__(self, wardrobe: Wardrobe, atlas: Atlas) -> None:
        names = wardrobe.names
        luminance = atlas.luminance.cpu().numpy()
        self._layer = [
            atlas.layer.get(name, atlas.layer.get(name + "_ao", NOTHING))
            for name in names
        ]
        self._alpha = [atlas.alpha.get(name, NOTHING) for name in names]
        self._luminance = [
            float(luminance[layer]) if layer >= 0 else 0.0 for layer in self._layer
        ]
        self._colourless = np.array([name not in atlas.layer for name in names])
        """The layer, if there is one, is only an occlusion map: the piece is always dyed."""

    def of_piece(self, material: Materials, kind: Kind, piece: int) -> Materials:
        """The rows of those who wear `piece`."""
        if kind in (Kind.SUIT, Kind.SHOE) and self._colourless[piece]:
            material = replace(
                material, upper=_fully(material.upper), lower=_fully(material.lower)
            )
        bare = kind in (Kind.SKIN, Kind.EYE)
        return replace(
            material,
            layer=torch.full_like(
                material.layer, NOTHING if bare else self._layer[piece]
            ),
            alpha=torch.full_like(
                material.alpha, NOTHING if bare else self._alpha[piece]
            ),
            luminance=torch.full_like(material.luminance, self._luminance[piece]),
        )


def _fully(paint: Paint) -> Paint:
    return replace(paint, amount=torch.ones_like(paint.amount))
