"""Props and seats as boxes; a table is a top on four legs. Corners are not shared, so that edges stay sharp."""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import torch
from torch import Tensor

from posecascade.models.lab.rendering.columns import Columns
from posecascade.models.lab.rendering.meshes import Instances
from posecascade.models.lab.rendering.parts import covered
from posecascade.models.skeleton import JOINT_NAMES

_CORNERS: Final = np.array(
    [[x, y, z] for x in (-0.5, 0.5) for y in (0, 1) for z in (-0.5, 0.5)], np.float32
)
"""Of a box that stands on the floor."""
_SIDES: Final = (
    (0, 1, 3, 2),
    (4, 6, 7, 5),
    (0, 4, 5, 1),
    (2, 3, 7, 6),
    (0, 2, 6, 4),
    (1, 5, 7, 3),
)
_TRIANGLES: Final = np.array(
    [half for a, b, c, d in _SIDES for half in ((a, b, c), (a, c, d))]
)
_SIDE_UV: Final = ([[0, 0], [0, 1], [1, 1]], [[0, 0], [1, 1], [1, 0]])
_UV: Final = np.array(_SIDE_UV * len(_SIDES), np.float32)

_TOP_M: Final = 0.05
_LEG_M: Final = 0.06
_LEGS: Final = tuple((x * 0.62, z * 0.42) for x in (-1, 1) for z in (-1, 1))
"""Where the legs stand, in widths and depths."""
_SEAT_M: Final = (0.42, 0.40)
_BELOW_HIPS_M: Final = 0.13
_LOWEST_SEAT_M: Final = 0.15
_SITS_ON: Final = [
    JOINT_NAMES.index(name) for name in ("pelvis", "left_knee", "right_knee")
]


@dataclass(frozen=True, eq=False)
class Boxes(Columns):
    """Q boxes in tensors."""

    frame: Tensor
    at_m: Tensor
    offset_m: Tensor
    """[Q, 3] from there, before the turn."""
    size_m: Tensor
    yaw_rad: Tensor
    surface: Tensor
    tint_rgb: Tensor

    def instances(self, luminance: Tensor) -> Instances:
        """The boxes as meshes; `luminance` of the atlas's layers."""
        device = self.yaw_rad.device
        count = 3 * len(_TRIANGLES)
        corners = (
            torch.from_numpy(_CORNERS).to(device) * self.size_m[:, None]
            + self.offset_m[:, None]
        )
        placed = corners @ _turns(self.yaw_rad) + self.at_m[:, None]
        return Instances(
            frame=self.frame,
            vertices_m=placed[:, torch.from_numpy(_TRIANGLES).to(device)].reshape(
                -1, count, 3
            ),
            rest_m=torch.zeros(count, 3, device=device),
            triangles=torch.arange(count, device=device).view(-1, 3),
            uv=torch.from_numpy(_UV).to(device),
            keep=None,
            materials=covered(self.surface, self.tint_rgb, luminance),
        )


def _turns(yaw_rad: Tensor) -> Tensor:
    """[Q, 3, 3] about the vertical, for row vectors."""
    cos = torch.cos(yaw_rad)
    sin = torch.sin(yaw_rad)
    zero = torch.zeros_like(yaw_rad)
    one = torch.ones_like(yaw_rad)
    return torch.stack([cos, zero, -sin, zero, one, zero, sin, zero, cos], 1).view(
        -1, 3, 3
    )


def furniture(props: Columns) -> list[Boxes]:
    """Boxes of `scene.Props` in tensors: plain ones, table tops, legs."""
    here = torch.zeros_like(props.at_m)
    every = Boxes(
        props.frame,
        props.at_m,
        here,
        props.size_m,
        props.yaw_rad,
        props.surface,
        props.tint_rgb,
    )
    table = every.taken(props.table)
    width, height, depth = table.size_m.unbind(1)
    zero = torch.zeros_like(width)
    top = replace(
        table,
        size_m=torch.stack([width * 1.4, zero + _TOP_M, depth], 1),
        offset_m=torch.stack([zero, height - _TOP_M, zero], 1),
    )
    leg = torch.stack([zero + _LEG_M, height - _TOP_M, zero + _LEG_M], 1)
    legs = [
        replace(
            table, size_m=leg, offset_m=torch.stack([width * x, zero, depth * z], 1)
        )
        for x, z in _LEGS
    ]
    return [every.taken(~props.table), top, *legs]


def seats(people: Columns, joints_m: Tensor, surface: int) -> Boxes:
    """A box below everybody who sits; `people` is `scene.People` in tensors, `joints_m` [P, 25, 3] theirs."""
    sitting = people.taken(people.seated)
    height = joints_m[people.seated][:, _SITS_ON, 1].mean(1) - _BELOW_HIPS_M
    height = height.clamp_min(_LOWEST_SEAT_M)
    width, depth = (torch.full_like(height, side) for side in _SEAT_M)
    return Boxes(
        sitting.frame,
        sitting.at_m,
        torch.zeros_like(sitting.at_m),
        torch.stack([width, height, depth], 1),
        torch.zeros_like(height),
        torch.full_like(sitting.frame, surface),
        torch.ones_like(sitting.at_m),
    )
