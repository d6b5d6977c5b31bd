"""Everything with triangles that a person is made of: bodies, suits, shoes, hair, brows, eyes."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from posecascade.models.lab.rendering.assets import Split
from posecascade.models.lab.rendering.body import PosedBodies, SkinWeights, morph

_DEV_PIECES: Final = {
    "female_sportsuit01",
    "male_casualsuit03",
    "shoes03",
    "short03",
    "bob02",
}
"""What training never wears; the rest is never worn in dev."""

_MALE_HAIR: Final = ("short01", "short02", "short03", "short04")
_FEMALE_HAIR: Final = ("long01", "bob02", "braid01", "ponytail01", "short02")
BALD: Final = -1

_Stored = Mapping[str, NDArray[Any]]


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """One mesh that deforms with the body."""

    name: str
    basis: Tensor
    """[21, V, 3] metres: the mean, then one offset a shape coefficient."""
    triangles: Tensor
    """[T, 3]"""
    uv: Tensor
    """[T, 3, 2] of each corner."""
    skin: SkinWeights

    def posed(self, bodies: PosedBodies, which: Tensor) -> Tensor:
        """[N, V, 3] vertices on the bodies `which` [N]."""
        return self.skin(
            bodies.transforms[which], morph(self.basis, bodies.shape[which])
        )


@dataclass(frozen=True, slots=True)
class Choices:
    """What a split may dress people in; indices of pieces, men's first, women's second."""

    suits: tuple[list[int], list[int]]
    hair: tuple[list[int], list[int]]
    shoes: list[int]
    brows: list[int]


class Wardrobe:
    """Owns the pieces of `people.npz` on one device."""

    def __init__(self, path: Path, device: torch.device | str = "cpu") -> None:
        with np.load(path) as stored:
            self.names = tuple(map(str, stored["piece_names"]))
            self.index = {name: index for index, name in enumerate(self.names)}
            self._kinds = tuple(map(str, stored["piece_kinds"]))
            self.pieces = tuple(_piece(stored, name, device) for name in self.names)
            self.hides = {
                body: self._masks(stored, body, device) for body in self.of_kind("body")
            }
        self.women = self.index["female1605"]
        self.men = self.index["male1591"]
        self.eyes = self.index["eyes"]

    def of_kind(self, kind: str) -> list[int]:
        return [index for index, name in enumerate(self._kinds) if name == kind]

    def _masks(self, stored: _Stored, body: int, device: torch.device | str) -> Tensor:
        """[pieces, T] which of a body's triangles lie below each piece."""
        name = self.names[body]
        count = len(self.pieces[body].triangles)
        masks = np.zeros((len(self.names), count), bool)
        for index, piece in enumerate(self.names):
            packed = f"hide/{name}/{piece}"
            if packed in stored:
                masks[index] = np.unpackbits(stored[packed])[:count]
        return torch.from_numpy(masks).to(device)

    def choices(self, split: Split) -> Choices:
        """The suits, hair and shoes of a split; brows, bodies and eyes are shared."""

        def mine(names: list[str]) -> list[int]:
            return [
                self.index[name]
                for name in names
                if (name in _DEV_PIECES) == (split is Split.DEV)
            ]

        suits = [self.names[index] for index in self.of_kind("suit")]
        men = [name for name in suits if not name.startswith("female")]
        women = [name for name in suits if name.startswith("female")] + men[:3]
        return Choices(
            (mine(men), mine(women)),
            (mine(list(_MALE_HAIR)) + [BALD], mine(list(_FEMALE_HAIR))),
            mine([self.names[index] for index in self.of_kind("shoes")]),
            self.of_kind("brow"),
        )


def _piece(stored: _Stored, name: str, device: torch.device | str) -> Piece:
    def floats(field: str) -> Tensor:
        return torch.from_numpy(stored[f"{name}/{field}"].astype(np.float32)).to(device)

    def whole(field: str) -> Tensor:
        return torch.from_numpy(stored[f"{name}/{field}"].astype(np.int64)).to(device)

    weight = floats("weight")
    skin = SkinWeights(whole("bone"), weight / weight.sum(1, keepdim=True))
    return Piece(name, floats("pos"), whole("tri"), floats("uv"), skin)
