"""Endless pictures of people with exact truth: reproducible, from one split."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
import torch
from torch import Generator, Tensor

from posecascade.models.arrays import Indices
from posecascade.models.lab.datasets.sample import PoseSample
from posecascade.models.lab.rendering.assets import Split, find_assets
from posecascade.models.lab.rendering.census import Census
from posecascade.models.lab.rendering.crowd import Crowd
from posecascade.models.lab.rendering.framing import PhotoChoice
from posecascade.models.lab.rendering.jumps import lifts
from posecascade.models.lab.rendering.motions import Motions
from posecascade.models.lab.rendering.photos import Photos
from posecascade.models.lab.rendering.renderer import Renderer
from posecascade.models.lab.rendering.sampler import SceneSampler
from posecascade.models.lab.rendering.scene import Scenes
from posecascade.models.lab.rendering.sequences import filmed, joined
from posecascade.models.lab.rendering.shots import samples_of
from posecascade.models.lab.rendering.volumes import StickFigure

_DEV_ENVIRONMENTS: Final = ("lab", "park", "dawn")
_TRAIN_SURFACES: Final = 2
"""Of each kind of surface; the third is for dev."""
_DEV_EVERY: Final = 8
"""Every eighth body is for dev."""
_SEQUENCE: Final = (0, 7)
_SEQUENCE_NOISE: Final = 1 << 30
"""What sets the random numbers of a sequence apart from those of a run's batches."""


class SyntheticPeople:
    """Owns the renderer and the scenes of one split."""

    def __init__(
        self,
        assets: Path | None,
        split: Split | str,
        size_px: int,
        photos: Path | None = None,
        device: str | torch.device = "cpu",
    ) -> None:
        """
        Args:
            assets: folder of the bodies, clothes and motions; None looks beside the checkout.
            photos: folder of photos without people; None draws rooms and panoramas only.

        Raises:
            MissingData: the assets or the photos are not there.
        """
        folder = find_assets(assets)
        self.split = Split(split)
        where = torch.device(device)
        stock = Photos(photos, folder / "photos.tsv", where) if photos else None
        self._renderer = Renderer(folder, size_px, stock, where)
        self._sampler = _sampler(folder, self.split, self._renderer, stock)

    def batches(
        self, frames: int, seed: int, batch: int = 16, worker: int = 0, workers: int = 1
    ) -> Iterator[tuple[Tensor, dict[str, Tensor]]]:
        """A run of `frames` pictures, RGB uint8 [b, 3, S, S] on the device, with the columns of `truth.truth_of`.

        Batch i depends on (split, seed, batch, i) only, so any worker can draw any batch; worker w of n yields the
        batches w, w + n, ... Equal seeds give equal scenes on every device; the noise differs between CPU and GPU.
        """
        for index in range(worker, -(-frames // batch), workers):
            scenes = self.scenes(seed, batch, index, min(batch, frames - index * batch))
            yield self._renderer(scenes, self._noise(seed, index))

    def samples(self, frames: int, seed: int, batch: int = 16) -> Iterator[PoseSample]:
        """The pictures of `batches` one by one, as the record of all data sets."""
        for images, truth in self.batches(frames, seed, batch):
            yield from samples_of(images, truth)

    def sequence(
        self, seed: int, frames: int = 24, fps: float = 12, batch: int = 16
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """One scene over time, as `batches` gives it: `frame` counts the moments, `id` says who is who.

        People walk along their clips, the camera stands or pans, the lens stays the same, the noise does not.
        """
        rng = np.random.default_rng([seed, self.split.seed, *_SEQUENCE])
        seconds = np.arange(frames) / fps
        film = filmed(rng, self._sampler.over_time(rng, 1, seconds), seconds)
        noise = self._noise(seed, _SEQUENCE_NOISE)
        first_rows = range(0, frames, batch)
        return joined(
            [
                self._renderer(film.frames(first, min(first + batch, frames)), noise)
                for first in first_rows
            ]
        )

    def scenes(self, seed: int, batch: int, index: int, count: int) -> Scenes:
        """Batch `index` of a run before it is rendered."""
        return self._sampler.draw(
            np.random.default_rng([seed, self.split.seed, batch, index]), count
        )

    def census(self) -> Census:
        """Who belongs to which groups."""
        return Census.of(self._renderer.body, self._renderer.wardrobe)

    def _noise(self, seed: int, index: int) -> Generator:
        state = np.random.SeedSequence((seed, self.split.seed, index)).generate_state(
            1
        )[0]
        return Generator(device=self._renderer.device).manual_seed(int(state))


def _sampler(
    folder: Path, split: Split, renderer: Renderer, photos: Photos | None
) -> SceneSampler:
    figure = StickFigure(renderer.body)
    motions = Motions.load(folder / f"mocap_{split}.npz")
    remaining = (
        slice(_TRAIN_SURFACES, None) if split is Split.DEV else slice(_TRAIN_SURFACES)
    )
    crowd = Crowd(
        body=renderer.body,
        figure=figure,
        motions=motions,
        lifts_m=lifts(motions, figure),
        wardrobe=renderer.wardrobe,
        choices=renderer.wardrobe.choices(split),
        shapes=_bodies(len(renderer.body.coefficients), split),
    )
    names = np.array(
        [name in _DEV_ENVIRONMENTS for name in renderer.environments.names]
    )
    return SceneSampler(
        crowd=crowd,
        surfaces={
            kind: layers[remaining] for kind, layers in renderer.atlas.surfaces.items()
        },
        environments=np.flatnonzero(names == (split is Split.DEV)),
        photos=PhotoChoice.of(photos, split) if photos else None,
    )


def _bodies(count: int, split: Split) -> Indices:
    for_dev = np.arange(count) % _DEV_EVERY == _DEV_EVERY - 1
    return np.flatnonzero(for_dev == (split is Split.DEV))
