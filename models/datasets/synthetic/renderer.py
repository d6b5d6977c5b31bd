"""Scenes to pictures and truth: pose, skin, rasterise, shadows, shading, lens and codec, labels off the z-buffer."""

from pathlib import Path

import torch
from torch import Generator, Tensor

from models.datasets.synthetic.albedo import Palette
from models.datasets.synthetic.atlas import Atlas
from models.datasets.synthetic.backdrop import Scenery
from models.datasets.synthetic.body import BodyModel
from models.datasets.synthetic.columns import Columns
from models.datasets.synthetic.cuboids import Boxes, furniture, seats
from models.datasets.synthetic.developing import developed
from models.datasets.synthetic.environments import Environments
from models.datasets.synthetic.figures import Figures, Tailor
from models.datasets.synthetic.meshes import Instances, Soup, soup
from models.datasets.synthetic.photos import Photos
from models.datasets.synthetic.raster import rasterise
from models.datasets.synthetic.scene import Scenes
from models.datasets.synthetic.shading import shade
from models.datasets.synthetic.shadows import Illumination, cast_shadows, triangles_of
from models.datasets.synthetic.truth import Drawn, truth_of
from models.datasets.synthetic.view import View
from models.datasets.synthetic.wardrobe import Wardrobe

_SEAT = "planks"


class Renderer:
    """Owns everything on one device that pictures are made of."""

    def __init__(self, assets: Path, size_px: int, photos: Photos | None, device: torch.device) -> None:
        self.device, self._size_px = device, size_px
        self.body, self.wardrobe = BodyModel(assets / "people.npz", device), Wardrobe(assets / "people.npz", device)
        self.atlas = Atlas(assets / "textures.npz", device)
        self.environments = Environments(assets / "env.npz", device)
        self._tailor = Tailor(self.body, self.wardrobe, self.atlas)
        self._palette = Palette(self.atlas, self.body)
        self._scenery = Scenery(self.atlas, self.environments, photos)

    @torch.no_grad()
    def __call__(self, scenes: Scenes, generator: Generator) -> tuple[Tensor, dict[str, Tensor]]:
        """Pictures uint8 [B, 3, S, S] RGB and the columns of `truth.truth_of`; `generator` makes the noise."""
        columns = scenes.tensors(self.device)
        figures = self._tailor.figures(scenes.people)
        everything = soup([*figures.instances, self._boxes(columns, figures)])
        view = View.of(columns.camera, self._size_px)
        drawn = self._drawn(everything, view)
        shadows = cast_shadows(columns.light.sun, everything, self.atlas)
        light = Illumination.of(columns.light, self.environments.harmonics, shadows)
        image, seen = self._scenery.paint(scenes, columns, view, light), drawn.buffer.triangle
        image = shade(image, seen, everything, drawn.normals, drawn.xyz, view, light, self._palette)
        pictures = developed(image, seen, columns.light.exposure, columns.lens, generator)
        return pictures, truth_of(columns.people, figures, view, drawn)

    def _boxes(self, columns: Columns, figures: Figures) -> Instances:
        seat = seats(columns.people, figures.joints_m, self.atlas.surfaces[_SEAT][0])
        return Boxes.joined([seat, *furniture(columns.props)]).instances(self.atlas.luminance)

    def _drawn(self, everything: Soup, view: View) -> Drawn:
        camera_m = view.to_camera(everything.vertices_m, everything.vertex_frame)
        at_px = view.to_image(camera_m, everything.vertex_frame)
        xyz = torch.cat([at_px, camera_m[:, 2:]], 1)
        triangles = triangles_of(everything, xyz, len(view.focal_px), view.size_px, self.atlas)
        return Drawn(everything, everything.normals(), xyz, rasterise(triangles))
