"""Photos without people as backdrops, with what is known of their cameras."""

import csv
import zlib
from pathlib import Path
from typing import Final

import numpy as np
import torch
from PIL import Image as Pictures
from torch import Tensor

from posecascade.models.arrays import Indices
from posecascade.models.lab.datasets.errors import BrokenData, MissingData
from posecascade.models.lab.rendering.assets import Split
from posecascade.models.lab.rendering.atlas import GAMMA

SIDE: Final = 640
_PANORAMA: Final = "polyhaven"


class Photos:
    """Owns the photos on one device: those of the table that lie in the folder."""

    def __init__(
        self, folder: Path, table: Path, device: torch.device | str = "cpu"
    ) -> None:
        """`table`: tab-separated `file`, `fov_deg` (0 unknown), `horizon` (share of the height), `ground` (1 open).

        Raises:
            MissingData: none of the photos is in the folder.
            BrokenData: one of them cannot be decoded.
        """
        with table.open(newline="") as lines:
            rows = [
                row
                for row in csv.DictReader(lines, delimiter="\t")
                if (folder / row["file"]).exists()
            ]
        if not rows:
            raise MissingData(f"{folder}: none of the photos of {table} is there")
        self.names = tuple(row["file"] for row in rows)
        self.fov_rad = np.deg2rad([float(row["fov_deg"]) for row in rows])
        self.horizon = np.array([float(row["horizon"]) for row in rows])
        self.ground = np.array([row["ground"] == "1" for row in rows])
        self.image = torch.zeros(len(rows), 3, SIDE, SIDE, dtype=torch.uint8)
        """[N, 3, 640, 640] each in the upper left corner."""
        self.size_hw_px = np.array(
            [self._load(index, folder / name) for index, name in enumerate(self.names)]
        )
        self.image = self.image.to(device)

    def _load(self, index: int, path: Path) -> torch.Size:
        try:
            picture = Pictures.open(path).convert("RGB")
        except OSError as error:
            raise BrokenData(f"{path} is no readable picture: {error}") from error
        picture.thumbnail((SIDE, SIDE))
        pixels = torch.from_numpy(np.array(picture)).permute(2, 0, 1)
        if path.name.startswith(_PANORAMA):
            pixels = without_fringes(pixels)
        self.image[index, :, : pixels.shape[1], : pixels.shape[2]] = pixels
        return pixels.shape[1:]

    def of_split(self, split: Split) -> Indices:
        """Indices of a split's photos: stable by name, the views of one panorama together."""
        dev = [_is_dev(name) for name in self.names]
        return np.flatnonzero(np.array(dev) == (split is Split.DEV))

    def crop(self, photo: Tensor, box_px: Tensor, size: int) -> Tensor:
        """Linear RGB [N, size, size, 3] of squares [N, 3] = (left, top, side) of photos [N], twice supersampled."""
        pixels = self.image[photo].float() / 255
        steps = (torch.arange(2 * size, device=pixels.device) + 0.5) / (2 * size)

        def across(axis: int) -> Tensor:
            return (box_px[:, axis, None] + box_px[:, 2:] * steps) / SIDE * 2 - 1

        grid = torch.stack(
            torch.broadcast_tensors(across(0)[:, None, :], across(1)[:, :, None]), -1
        )
        picked = torch.nn.functional.grid_sample(
            pixels, grid, align_corners=False, padding_mode="border"
        )
        return torch.nn.functional.avg_pool2d(picked, 2).permute(0, 2, 3, 1) ** GAMMA


def _is_dev(name: str) -> bool:
    scene = name.rsplit("_", 1)[0] if name.startswith(_PANORAMA) else name
    return zlib.crc32(scene.encode()) % 6 == 0


def without_fringes(pixels: Tensor) -> Tensor:
    """[3, H, W] uint8 with the dark gaps beside saturated pixels closed.

    Crops of panoramas carry black rings round blown-out lamps, the ringing of whatever resampled them.
    """

    def spread(values: Tensor) -> Tensor:
        return torch.nn.functional.max_pool2d(values, 7, 1, 3)

    picture = pixels.float()[None]
    near_lamp = spread(picture.amin(1, keepdim=True)) > 245
    return torch.where(near_lamp, -spread(-spread(picture)), picture)[0].byte()
