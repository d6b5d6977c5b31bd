"""What is known of everybody in a batch of pictures, read off the geometry and the z-buffer."""

from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

from posecascade.models.lab.rendering.columns import Columns
from posecascade.models.lab.rendering.figures import Figures
from posecascade.models.lab.rendering.meshes import Soup
from posecascade.models.lab.rendering.raster import NEAR_M, DepthBuffer
from posecascade.models.lab.rendering.view import View
from posecascade.models.skeleton import JOINTS

OUTSIDE, HIDDEN, SELF_HIDDEN, VISIBLE = range(4)
"""Visibility of a joint: outside the frame, hidden by somebody or something else, by the own body, seen."""

_THICKNESS_M: Final = (
    0.20, 0.20, 0.12, 0.06, 0.05, 0.05, 0.05, 0.10, 0.10, 0.14, 0.14, 0.09, 0.09, 0.07, 0.07, 0.20, 0.20,
    0.11, 0.11, 0.09, 0.09, 0.06, 0.06, 0.06, 0.06,
)  # fmt: skip
"""[25] how deep below the skin joints may lie and count as seen."""
_SURFACE_M: Final = 0.06
_NOTHING: Final = -2


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """A batch of pictures before anything is coloured."""

    soup: Soup
    normals: Tensor
    """[V, 3]"""
    xyz: Tensor
    """[V, 3] vertices in the picture, and their depth."""
    buffer: DepthBuffer

    def owner(self) -> Tensor:
        """[B, S, S] who is seen at each pixel: -2 nobody and nothing, -1 a thing."""
        seen = self.buffer.triangle
        if not len(self.soup.part):
            return torch.full_like(seen, _NOTHING, dtype=torch.int64)
        person = self.soup.materials.person[self.soup.part[seen.clamp_min(0).long()]]
        return torch.where(seen >= 0, person, _NOTHING)


def truth_of(
    people: Columns, figures: Figures, view: View, drawn: Drawn
) -> dict[str, Tensor]:
    """Columns, one row a person (`frame` says whose) but K, one a frame.

    K [B, 3, 3]; joints_mm [P, 25, 3] camera space; joints_px [P, 25, 2]; vis [P, 25] uint8, see above; extra_mm
    [P, 4, 3] chest, head centre, index knuckles; box [P, 4] corners round all of the surface, in the frame or not;
    occluded [P] share of the surface that faces the camera inside the frame which others hide; truncated [P] share
    outside the frame (1: wholly, drop them where they should not count); pixels [P]; id, clip, shape [P]; suit,
    hair [P] pieces of the wardrobe, -1 none; skin_rgb [P, 3] as displayed.
    """
    frame = people.frame
    owner = drawn.owner()
    both = torch.cat([figures.joints_m, figures.extra_m], 1)
    row = frame[:, None].expand(both.shape[:2]).flatten()
    camera_m = view.to_camera(both.reshape(-1, 3), row)
    px = view.to_image(camera_m, row).view(*both.shape[:2], 2)[:, :JOINTS]
    camera_m = camera_m.view_as(both)
    joints_m = camera_m[:, :JOINTS]
    return {
        "K": view.intrinsics(),
        "joints_mm": joints_m * 1000,
        "joints_px": px,
        "vis": _visibility(frame, joints_m, px, drawn, owner).byte(),
        "extra_mm": camera_m[:, JOINTS:] * 1000,
        "pixels": _pixels(owner, len(frame)),
        **_extents(len(frame), view, drawn, owner),
        "frame": frame,
        "id": people.identity,
        "clip": people.clip,
        "shape": people.shape,
        "suit": people.looks.suit,
        "hair": people.looks.hair,
        "skin_rgb": people.looks.skin_rgb,
    }


def _inside(px: Tensor, depth_m: Tensor, size_px: int) -> Tensor:
    return ((px >= 0) & (px < size_px)).all(-1) & (depth_m > NEAR_M)


def _at(px: Tensor, size_px: int) -> tuple[Tensor, Tensor]:
    """Row and column of the nearest pixel in the picture."""
    column, row = px.floor().long().clamp(0, size_px - 1).unbind(-1)
    return row, column


def _visibility(
    frame: Tensor, joints_m: Tensor, px: Tensor, drawn: Drawn, owner: Tensor
) -> Tensor:
    size = drawn.buffer.depth.shape[-1]
    person_index = torch.arange(len(frame), device=px.device)[:, None]
    row, column = _at(px, size)
    picture = frame[:, None].expand_as(row)
    surface = drawn.buffer.depth[picture, row, column]
    seen = owner[picture, row, column]
    covered = surface < joints_m[..., 2] - px.new_tensor(_THICKNESS_M)
    hidden = torch.where(seen == person_index, SELF_HIDDEN, HIDDEN)
    in_frame = _inside(px, joints_m[..., 2], size)
    return torch.where(in_frame, torch.where(covered, hidden, VISIBLE), OUTSIDE)


def _pixels(owner: Tensor, people: int) -> Tensor:
    """[P] int32 size of everybody's visible mask."""
    counts = torch.zeros(people + 2, device=owner.device)
    one = torch.ones(owner.numel(), device=owner.device)
    return counts.index_add_(0, owner.flatten() - _NOTHING, one)[2:].int()


def _extents(people: int, view: View, drawn: Drawn, owner: Tensor) -> dict[str, Tensor]:
    """Boxes [P, 4], and how much of each person is hidden by others or out of frame [P], by surface vertices."""
    person = drawn.soup.vertex_person()
    xyz = drawn.xyz
    towards_eye = view.eye_m[drawn.soup.vertex_frame] - drawn.soup.vertices_m
    facing = torch.nonzero(
        (person >= 0) & ((towards_eye * drawn.normals).sum(1) > 0)
    ).flatten()
    own = person[facing]
    at = xyz[facing, :2]
    depth = xyz[facing, 2]
    inside = _inside(at, depth, view.size_px)
    row, column = _at(at, view.size_px)
    picture = drawn.soup.vertex_frame[facing]
    nearer = drawn.buffer.depth[picture, row, column] < depth - _SURFACE_M
    blocked = inside & nearer & (owner[picture, row, column] != own)

    def counted(mask: Tensor) -> Tensor:
        return torch.zeros(people, device=xyz.device).index_add_(0, own, mask.float())

    total = counted(torch.ones_like(inside)).clamp_min(1)
    within = counted(inside)
    return {
        "box": _boxes(people, person, xyz),
        "occluded": counted(blocked) / within.clamp_min(1),
        "truncated": 1 - within / total,
    }


def _boxes(people: int, person: Tensor, xyz: Tensor) -> Tensor:
    """[P, 4] round all vertices before the camera; inside out where there is none."""
    before = torch.nonzero((person >= 0) & (xyz[:, 2] > NEAR_M)).flatten()
    index = person[before][:, None].expand(-1, 2)
    at = xyz[before, :2]
    far = xyz.new_full((people, 2), 1e6)
    return torch.cat(
        [
            far.scatter_reduce(0, index, at, "amin"),
            (-far).scatter_reduce(0, index, at, "amax"),
        ],
        1,
    )
