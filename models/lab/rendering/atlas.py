"""All textures in one table with a mip chain: baked garments, shoes and hair, and the procedural surfaces."""

import io
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image as Pictures
from torch import Tensor

from posecascade.models.arrays import Image
from posecascade.models.lab.rendering.surfaces import PAINTERS, surface

SIZE: Final = 512
_SMALLEST: Final = 16
_SURFACES: Final = 33
_SURFACE_SEED: Final = 3
GAMMA: Final = 2.2
"""Of everything displayed: textures, photos, panoramas and the pictures that come out."""

LUMINANCE: Final = (0.3, 0.6, 0.1)


class Atlas:
    """Owns the textures on one device."""

    def __init__(self, path: Path, device: torch.device | str = "cpu") -> None:
        self.layer: dict[str, int] = {}
        """Layer by name: a piece of the wardrobe, or a piece with `_ao` where only its occlusion is baked."""
        self.alpha: dict[str, int] = {}
        """Row in `alpha_maps` of the pieces that have holes."""
        self.surfaces: dict[str, list[int]] = {}
        """Layers of each kind of procedural surface."""
        colours, alphas = self._read(path)
        colours += self._paint(len(colours))
        self.alpha_maps = torch.from_numpy(np.stack(alphas)).to(device)
        """[A, S, S] uint8, opaque at 255."""
        self._build_chain(
            torch.from_numpy(np.stack(colours)).permute(0, 3, 1, 2).float(),
            torch.device(device),
        )

    def _read(self, path: Path) -> tuple[list[Image], list[NDArray[np.uint8]]]:
        colours: list[Image] = []
        alphas: list[NDArray[np.uint8]] = []
        with np.load(path) as stored:
            for name in stored.files:
                picture = Pictures.open(io.BytesIO(stored[name].tobytes()))
                if name.endswith("/a"):
                    self.alpha[name[:-2]] = len(alphas)
                    alphas.append(np.array(picture.convert("L")))
                    continue
                self.layer[name] = len(colours)
                rgb = picture.convert("RGB")
                colours.append(
                    np.array(
                        rgb if rgb.size == (SIZE, SIZE) else rgb.resize((SIZE, SIZE))
                    )
                )
        return colours, alphas

    def _paint(self, first: int) -> list[Image]:
        rng = np.random.default_rng(_SURFACE_SEED)
        kinds = list(PAINTERS)
        painted = []
        for index in range(_SURFACES):
            kind = kinds[index % len(kinds)]
            self.surfaces.setdefault(kind, []).append(first + index)
            painted.append(surface(rng, kind, SIZE))
        return painted

    def _build_chain(self, level: Tensor, device: torch.device) -> None:
        """Mip levels behind one another in a flat table, rows of a layer together. `level` [L, 3, S, S] of 0..255."""
        self.luminance = (level.mean((2, 3)) / 255 @ torch.tensor(LUMINANCE)).to(device)
        """[L] mean of each layer."""
        chain = []
        offsets = [0]
        sizes = []
        size = SIZE
        while size >= _SMALLEST:
            chain.append(
                level.round()
                .clamp(0, 255)
                .byte()
                .permute(0, 2, 3, 1)
                .reshape(len(level), -1, 3)
            )
            sizes.append(size)
            offsets.append(offsets[-1] + size * size)
            level = torch.nn.functional.avg_pool2d(level, 2)
            size = size // 2
        self._texels = torch.cat(chain, 1).to(device).view(-1, 3)
        self._texels_a_layer = offsets.pop()
        self._offset = torch.tensor(offsets, device=device)
        self._size = torch.tensor(sizes, device=device)
        self._linear = (torch.arange(256, device=device) / 255.0) ** GAMMA

    def sample(self, layer: Tensor, uv: Tensor, level: Tensor) -> Tensor:
        """Linear RGB [N, 3]: bilinear within the nearest mip level.

        Args:
            layer: [N]
            uv: [N, 2] v upwards, repeating.
            level: [N] real, 0 the finest.
        """
        nearest = level.round().long().clamp(0, len(self._offset) - 1)
        size = self._size[nearest]
        x = uv[:, 0] * size - 0.5
        y = (1 - uv[:, 1]) * size - 0.5
        left = torch.floor(x)
        upper = torch.floor(y)
        fx = (x - left)[:, None]
        fy = (y - upper)[:, None]
        left = left.long()
        upper = upper.long()
        base = layer * self._texels_a_layer + self._offset[nearest]

        def tap(
            dx: int, dy: int
        ) -> Tensor:  # sizes are powers of two, so that repeating is a mask
            texel = base + (upper + dy & size - 1) * size + (left + dx & size - 1)
            return self._linear[self._texels[texel].int()]

        return (tap(0, 0) * (1 - fx) + tap(1, 0) * fx) * (1 - fy) + (
            tap(0, 1) * (1 - fx) + tap(1, 1) * fx
        ) * fy
