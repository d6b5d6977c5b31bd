"""Triangles: instances of one mesh, and the soup of everything in a batch of scenes."""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import normalize

from posecascade.models.lab.rendering.parts import Materials


class Instances(NamedTuple):
    """N copies of one mesh of V vertices and T triangles."""

    frame: Tensor
    """[N] whose scene each is in."""
    vertices_m: Tensor
    """[N, V, 3] world."""
    rest_m: Tensor
    """[V, 3] where the surface was before it was posed."""
    triangles: Tensor
    """[T, 3]"""
    uv: Tensor
    """[T, 3, 2]"""
    keep: Tensor | None
    """[N, T] which triangles nothing covers; None all."""
    materials: Materials
    """N rows."""


@dataclass(frozen=True, slots=True, eq=False)
class Soup:
    """V vertices, T triangles and M parts of all scenes."""

    vertices_m: Tensor
    rest_m: Tensor
    vertex_frame: Tensor
    triangles: Tensor
    """[T, 3] vertices."""
    uv: Tensor
    """[T, 3, 2]"""
    part: Tensor
    """[T] row of `materials`."""
    frame: Tensor
    """[T]"""
    materials: Materials

    def normals(self) -> Tensor:
        """[V, 3] mean of the faces round each vertex, by their area."""
        corner = self.vertices_m[self.triangles]
        face = torch.cross(
            corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0], dim=1
        )
        total = torch.zeros_like(self.vertices_m)
        return normalize(
            total.index_add_(
                0, self.triangles.reshape(-1), face.repeat_interleave(3, 0)
            ),
            dim=1,
        )

    def vertex_person(self) -> Tensor:
        """[V] whose body or clothes a vertex is of; -1 things, and what is covered."""
        person = torch.full_like(self.vertex_frame, -1)
        person[self.triangles.reshape(-1)] = self.materials.person[
            self.part
        ].repeat_interleave(3)
        return person


class _Piece(NamedTuple):
    triangles: Tensor
    uv: Tensor
    part: Tensor


def soup(groups: list[Instances]) -> Soup:
    """Everything in one table, in the order given."""
    pieces = []
    vertices = 0
    parts = 0
    for group in groups:
        pieces.append(_unrolled(group, vertices, parts))
        vertices += group.vertices_m.shape[0] * group.vertices_m.shape[1]
        parts += len(group.frame)
    part = torch.cat([piece.part for piece in pieces])
    return Soup(
        vertices_m=torch.cat([group.vertices_m.reshape(-1, 3) for group in groups]),
        rest_m=torch.cat(
            [
                group.rest_m.expand_as(group.vertices_m).reshape(-1, 3)
                for group in groups
            ]
        ),
        vertex_frame=torch.cat(
            [
                group.frame.repeat_interleave(group.vertices_m.shape[1])
                for group in groups
            ]
        ),
        triangles=torch.cat([piece.triangles for piece in pieces]),
        uv=torch.cat([piece.uv for piece in pieces]),
        part=part,
        frame=torch.cat([group.frame for group in groups])[part],
        materials=Materials.joined([group.materials for group in groups]),
    )


def _unrolled(group: Instances, first_vertex: int, first_part: int) -> _Piece:
    count, vertices = group.vertices_m.shape[:2]
    instance = torch.arange(count, device=group.frame.device)
    triangles = (
        group.triangles + (first_vertex + instance * vertices)[:, None, None]
    ).reshape(-1, 3)
    uv = group.uv.expand(count, -1, -1, -1).reshape(-1, 3, 2)
    part = (instance + first_part).repeat_interleave(len(group.triangles))
    if group.keep is None:
        return _Piece(triangles, uv, part)
    remaining = group.keep.flatten()
    return _Piece(triangles[remaining], uv[remaining], part[remaining])
