"""Bodies, clothes and hair of everybody in a batch, posed and put on the floor."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from torch import Tensor

from posecascade.models.arrays import Indices
from posecascade.models.lab.rendering.atlas import Atlas
from posecascade.models.lab.rendering.body import BodyModel, PosedBodies
from posecascade.models.lab.rendering.columns import Columns
from posecascade.models.lab.rendering.meshes import Instances
from posecascade.models.lab.rendering.parts import Kind, Materials, Swatches, worn
from posecascade.models.lab.rendering.scene import Appearance, People
from posecascade.models.lab.rendering.wardrobe import Wardrobe

_STANDS_ON: Final = (Kind.SKIN, Kind.SUIT, Kind.SHOE)
"""What may be the lowest of a person."""


@dataclass(frozen=True, slots=True, eq=False)
class Figures:
    """Everybody's joints in the world, and what is seen of them."""

    joints_m: Tensor
    """[P, 25, 3]"""
    extra_m: Tensor
    """[P, 4, 3]"""
    instances: list[Instances]


class Tailor:
    """Dresses and poses people; owns nothing but references to what the renderer owns."""

    def __init__(self, body: BodyModel, wardrobe: Wardrobe, atlas: Atlas) -> None:
        self._body = body
        self._wardrobe = wardrobe
        self._swatches = Swatches(wardrobe, atlas)

    @torch.no_grad()
    def figures(self, people: People) -> Figures:
        """One group of instances a piece in use; the loop runs over pieces, never over people."""
        columns = people.tensors(self._body.device)
        bodies = self._body.pose(
            self._body.coefficients[columns.shape], columns.quat, columns.looks.curl_rad
        )
        groups = []
        wearers = []
        low = columns.lift_m.new_full((len(people.frame),), 1e9)
        for kind, pieces in self._layers(people.looks):
            material = worn(columns.looks, kind)
            for piece in np.unique(pieces[pieces >= 0]):
                person_index = torch.from_numpy(np.flatnonzero(pieces == piece)).to(
                    self._body.device
                )
                group = self._instances(
                    columns, bodies, person_index, int(piece), kind, material
                )
                if kind in _STANDS_ON:
                    low = low.scatter_reduce(
                        0, person_index, group.vertices_m[..., 1].amin(1), "amin"
                    )
                groups.append(group)
                wearers.append(person_index)
        return _standing(columns, bodies, low, groups, wearers)

    def _layers(self, looks: Appearance) -> list[tuple[Kind, Indices]]:
        """What everybody [P] wears of each kind, in the order in which it is drawn."""
        eyes = np.full(len(looks.body), self._wardrobe.eyes)
        return [
            (Kind.SKIN, looks.body),
            (Kind.SUIT, looks.suit),
            (Kind.SHOE, looks.shoes),
            (Kind.BROW, looks.brow),
            (Kind.HAIR, looks.hair),
            (Kind.EYE, eyes),
        ]

    def _instances(
        self,
        people: Columns,
        bodies: PosedBodies,
        person_index: Tensor,
        index: int,
        kind: Kind,
        material: Materials,
    ) -> Instances:
        piece = self._wardrobe.pieces[index]
        return Instances(
            frame=people.frame[person_index],
            vertices_m=piece.posed(bodies, person_index),
            rest_m=piece.basis[0],
            triangles=piece.triangles,
            uv=piece.uv,
            keep=self._uncovered(people.looks, person_index, index)
            if kind is Kind.SKIN
            else None,
            materials=self._swatches.of_piece(
                material.taken(person_index), kind, index
            ),
        )

    def _uncovered(self, looks: Columns, person_index: Tensor, body: int) -> Tensor:
        """[N, T] the triangles of a body that neither suit nor shoes hide."""
        hidden = self._wardrobe.hides[body]
        return ~(hidden[looks.suit[person_index]] | hidden[looks.shoes[person_index]])


def _standing(
    people: Columns,
    bodies: PosedBodies,
    low_m: Tensor,
    groups: list[Instances],
    wearers: list[Tensor],
) -> Figures:
    """Moves everybody to their place: pelvis above it, lowest point on the floor or as high as they jump."""
    place = people.at_m + people.path_m
    pelvis = bodies.joints_m[:, 0]
    shift = torch.stack(
        [place[:, 0] - pelvis[:, 0], people.lift_m - low_m, place[:, 2] - pelvis[:, 2]],
        1,
    )
    moved = [
        group._replace(vertices_m=group.vertices_m + shift[person_index][:, None])
        for group, person_index in zip(groups, wearers, strict=True)
    ]
    return Figures(
        bodies.joints_m + shift[:, None], bodies.extra_m + shift[:, None], moved
    )
