"""Panoramas: a small picture of each to look at, and its light as spherical harmonics."""

import io
from pathlib import Path

import numpy as np
import torch
from PIL import Image as Pictures
from torch import Tensor

from posecascade.models.lab.rendering.atlas import GAMMA

_HARMONICS = (0.282095, 0.488603, 1.092548, 0.315392, 0.546274)


class Environments:
    """Owns the panoramas on one device."""

    def __init__(self, path: Path, device: torch.device | str = "cpu") -> None:
        with np.load(path) as stored:
            self.names = tuple(map(str, stored["name"]))
            harmonics = stored["sh"]
            pictures = [
                np.array(
                    Pictures.open(io.BytesIO(stored[f"jpg/{name}"].tobytes())).convert(
                        "RGB"
                    )
                )
                for name in self.names
            ]
        self.linear_rgb = (
            (torch.from_numpy(np.stack(pictures)).float() / 255).pow(GAMMA).to(device)
        )
        """[E, 256, 512, 3]"""
        self.harmonics = torch.from_numpy(harmonics).to(device)
        """[E, 9, 3]"""


def irradiance(harmonics: Tensor, normal: Tensor) -> Tensor:
    """Light [..., 3] that falls on surfaces with normals [..., 3]; harmonics [..., 9, 3] of order two.

    Source: Ramamoorthi & Hanrahan, An efficient representation for irradiance environment maps, 2001.
    """
    x, y, z = normal.unbind(-1)
    constant, linear, product, zonal, difference = _HARMONICS
    basis = torch.stack(
        [
            torch.full_like(x, constant),
            linear * y,
            linear * z,
            linear * x,
            product * x * y,
            product * y * z,
            zonal * (3 * z * z - 1),
            product * x * z,
            difference * (x * x - y * y),
        ],
        -1,
    )
    return (basis[..., None] * harmonics).sum(-2).clamp_min(0.02)
