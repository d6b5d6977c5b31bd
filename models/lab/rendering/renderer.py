"""Scenes to pictures and truth: pose, skin, rasterise, shadows, shading, lens and codec, labels off the z-buffer."""

from pathlib import Path

import torch
from torch import Generator, Tensor

from posecascade.models.lab.rendering.albedo import Palette
from posecascade.models.lab.rendering.atlas import Atlas
from posecascade.models.lab.rendering.backdrop import Scenery
from posecascade.models.lab.rendering.body import BodyModel
from posecascade.models.lab.rendering.columns import Columns
from posecascade.models.lab.rendering.cuboids import Boxes, furniture, seats
from posecascade.models.lab.rendering.developing import developed
from posecascade.models.lab.rendering.environments import Environments
from posecascade.models.lab.rendering.figures import Figures, Tailor
from posecascade.models.lab.rendering.meshes import Instances, Soup, soup
from posecascade.models.lab.rendering.photos import Photos
from posecascade.models.lab.rendering.raster import rasterise
from posecascade.models.lab.rendering.scene import Scenes
from posecascade.models.lab.rendering.shading import shade
from posecascade.models.lab.rendering.shadows import (
    Illumination,
    cast_shadows,
    triangles_of,
)
from posecascade.models.lab.rendering.truth import Drawn, truth_of
from posecascade.models.lab.rendering.view import View
from posecascade.models.lab.rendering.wardrobe import Wardrobe

_SEAT = "planks"


class Renderer:
    """Owns everything on one device that pictures are made of."""

    def __init__(
        self, assets: Path, size_px: int, photos: Photos | None, device: torch.device
    ) -> None:
        self.device = device
        self._size_px = size_px
        self.body = BodyModel(assets / "people.npz", device)
        self.wardrobe = Wardrobe(assets / "people.npz", device)
        self.atlas = Atlas(assets / "textures.npz", device)
        self.environments = Environments(assets / "env.npz", device)
        self._tailor = Tailor(self.body, self.wardrobe, self.atlas)
        self._palette = Palette(self.atlas, self.body)
        self._scenery = Scenery(self.atlas, self.environments, photos)

    @torch.no_grad()
    def __call__(
        self, scenes: Scenes, generator: Generator
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Pictures uint8 [B, 3, S, S] RGB and the columns of `truth.truth_of`; `generator` makes the noise."""
        columns = scenes.tensors(self.device)
        figures = self._tailor.figures(scenes.people)
        everything = soup([*figures.instances, self._boxes(columns, figures)])
        view = View.of(columns.camera, self._size_px)
        drawn = self._drawn(everything, view)
        shadows = cast_shadows(columns.light.sun, everything, self.atlas)
        light = Illumination.of(columns.light, self.environments.harmonics, shadows)
        image = self._scenery.paint(scenes, columns, view, light)
        seen = drawn.buffer.triangle
        image = shade(
            image,
            seen,
            everything,
            drawn.normals,
            drawn.xyz,
            view,
            light,
            self._palette,
        )
        pictures = developed(
            image, seen, columns.light.exposure, columns.lens, generator
        )
        return pictures, truth_of(columns.people, figures, view, drawn)

    def _boxes(self, columns: Columns, figures: Figures) -> Instances:
        seat = seats(columns.people, figures.joints_m, self.atlas.surfaces[_SEAT][0])
        return Boxes.joined([seat, *furniture(columns.props)]).instances(
            self.atlas.luminance
        )

    def _drawn(self, everything: Soup, view: View) -> Drawn:
        camera_m = view.to_camera(everything.vertices_m, everything.vertex_frame)
        at_px = view.to_image(camera_m, everything.vertex_frame)
        xyz = torch.cat([at_px, camera_m[:, 2:]], 1)
        triangles = triangles_of(
            everything, xyz, len(view.focal_px), view.size_px, self.atlas
        )
        return Drawn(everything, everything.normals(), xyz, rasterise(triangles))
