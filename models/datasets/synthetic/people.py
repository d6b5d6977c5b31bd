"""Endless pictures of people with exact truth: reproducible, from one split."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
import torch
from torch import Generator, Tensor

from models.arrays import Indices
from models.datasets.sample import PoseSample
from models.datasets.synthetic.assets import Split, find_assets
from models.datasets.synthetic.census import Census
from models.datasets.synthetic.crowd import Crowd
from models.datasets.synthetic.framing import PhotoChoice
from models.datasets.synthetic.jumps import lifts
from models.datasets.synthetic.motions import Motions
from models.datasets.synthetic.photos import Photos
from models.datasets.synthetic.renderer import Renderer
from models.datasets.synthetic.sampler import SceneSampler
from models.datasets.synthetic.scene import Scenes
from models.datasets.synthetic.sequences import filmed, joined
from models.datasets.synthetic.shots import samples_of
from models.datasets.synthetic.volumes import StickFigure

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
        folder, self.split = find_assets(assets), Split(split)
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
        rng, seconds = np.random.default_rng([seed, self.split.seed, *_SEQUENCE]), np.arange(frames) / fps
        film = filmed(rng, self._sampler.over_time(rng, 1, seconds), seconds)
        noise = self._noise(seed, _SEQUENCE_NOISE)
        firsts = range(0, frames, batch)
        return joined([self._renderer(film.frames(first, min(first + batch, frames)), noise) for first in firsts])

    def scenes(self, seed: int, batch: int, index: int, count: int) -> Scenes:
        """Batch `index` of a run before it is rendered."""
        return self._sampler.draw(np.random.default_rng([seed, self.split.seed, batch, index]), count)

    def census(self) -> Census:
        """Who belongs to which groups."""
        return Census.of(self._renderer.body, self._renderer.wardrobe)

    def _noise(self, seed: int, index: int) -> Generator:
        state = np.random.SeedSequence((seed, self.split.seed, index)).generate_state(1)[0]
        return Generator(device=self._renderer.device).manual_seed(int(state))


def _sampler(folder: Path, split: Split, renderer: Renderer, photos: Photos | None) -> SceneSampler:
    figure, motions = StickFigure(renderer.body), Motions.load(folder / f"mocap_{split}.npz")
    kept = slice(_TRAIN_SURFACES, None) if split is Split.DEV else slice(_TRAIN_SURFACES)
    crowd = Crowd(
        body=renderer.body,
        figure=figure,
        motions=motions,
        lifts_m=lifts(motions, figure),
        wardrobe=renderer.wardrobe,
        choices=renderer.wardrobe.choices(split),
        shapes=_bodies(len(renderer.body.coefficients), split),
    )
    names = np.array([name in _DEV_ENVIRONMENTS for name in renderer.environments.names])
    return SceneSampler(
        crowd=crowd,
        surfaces={kind: layers[kept] for kind, layers in renderer.atlas.surfaces.items()},
        environments=np.flatnonzero(names == (split is Split.DEV)),
        photos=PhotoChoice.of(photos, split) if photos else None,
    )


def _bodies(count: int, split: Split) -> Indices:
    for_dev = np.arange(count) % _DEV_EVERY == _DEV_EVERY - 1
    return np.flatnonzero(for_dev == (split is Split.DEV))
