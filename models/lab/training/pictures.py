"""Unlabelled pictures to teach with: rendered people, photos and places without anybody, changed and put together."""

from collections.abc import Callable, Sequence

import cv2
import numpy as np
import torch
from torch import Tensor

from posecascade.models.arrays import Image
from posecascade.models.lab.datasets import augment
from posecascade.models.lab.datasets.sample import PoseSample
from posecascade.models.lab.training.views import COARSE_SIZES_HW, frame_view

_EMPTY = 0.08
"""Share of pictures without anybody."""
_PHOTO = 0.3
_MOSAIC = 0.25
"""Share of pictures made of four, which makes small people and crowds."""


class Pictures:
    """Draws batches of one input size each; all chance comes from one generator."""

    def __init__(
        self,
        rendered: Callable[[int], Sequence[PoseSample]],
        shards: int,
        photos: Sequence[PoseSample],
        empty: Sequence[PoseSample],
        batch: int,
        chance: torch.Generator,
    ):
        self.rendered = rendered
        self.shards = shards
        self.photos = photos
        self.empty = empty
        self.batch = batch
        self.chance = chance

    def __call__(self) -> Tensor:
        """[N, H, W, 3] uint8, blue-green-red."""
        rng = np.random.default_rng(
            int(torch.randint(2**62, (1,), generator=self.chance))
        )
        size_hw = COARSE_SIZES_HW[rng.integers(len(COARSE_SIZES_HW))]
        made = [
            self._mosaic(size_hw, rng)
            if rng.random() < _MOSAIC
            else self._one(size_hw, rng)
            for _ in range(self.batch)
        ]
        return torch.from_numpy(np.stack(made))

    def _one(self, size_hw: tuple[int, int], rng: np.random.Generator) -> Image:
        sample = augment.varied(self._sample(rng), rng)
        return frame_view(sample, rng, (size_hw,)).image_bgr

    def _mosaic(self, size_hw: tuple[int, int], rng: np.random.Generator) -> Image:
        """Four pictures that share the canvas along a cross at a random place."""
        height, width = size_hw
        y = int(height * rng.uniform(0.3, 0.7))
        x = int(width * rng.uniform(0.3, 0.7))
        canvas = np.zeros((height, width, 3), np.uint8)
        for rows, columns in (
            (slice(0, y), slice(0, x)),
            (slice(0, y), slice(x, width)),
            (slice(y, height), slice(0, x)),
            (slice(y, height), slice(x, width)),
        ):
            part = canvas[rows, columns]
            image = augment.varied(self._sample(rng), rng).image_bgr
            scale = max(part.shape[0] / image.shape[0], part.shape[1] / image.shape[1])
            whole = cv2.resize(
                image,
                None,
                fx=scale + 1e-3,
                fy=scale + 1e-3,
                interpolation=cv2.INTER_AREA,
            )
            part[:] = whole[: part.shape[0], : part.shape[1]]
        return canvas

    def _sample(self, rng: np.random.Generator) -> PoseSample:
        kind = rng.random()
        if self.empty and kind < _EMPTY:
            return _any_of(self.empty, rng)
        if self.photos and kind < _EMPTY + _PHOTO:
            return _any_of(self.photos, rng)
        return _any_of(self.rendered(int(rng.integers(self.shards))), rng)


def _any_of(samples: Sequence[PoseSample], rng: np.random.Generator) -> PoseSample:
    return samples[int(rng.integers(len(samples)))]
