"""Where a picture network places its joints on the body, against where the body model has them.

COCO's shoulders, hips and ears are spots that annotators see, cascade25's are centres of rotation: a few centimetres
apart, always the same way. Rendered people, whose truth is exact, show by how much; simulated readings are shifted
likewise, so that the lifter learns to take the difference back.
"""

import torch
from torch import Tensor

from models.skeleton import COCO17, JOINT_NAMES

_COCO = torch.tensor(COCO17.source)
_PELVIS, _NECK = JOINT_NAMES.index("pelvis"), JOINT_NAMES.index("neck")
_LEFT, _RIGHT = JOINT_NAMES.index("left_hip"), JOINT_NAMES.index("right_hip")
_SURE = 0.4
"""Score from which a reading counts."""
_ROUNDS = 8
_OUTLIER_MM = 30.0


def torso_axes(rel_mm: Tensor) -> Tensor:
    """[M, 3, 3] rows: the body's own left, up and forward, of joints [M, 25, 3]."""
    up = torch.nn.functional.normalize(rel_mm[:, _NECK] - rel_mm[:, _PELVIS], dim=1)
    across = rel_mm[:, _LEFT] - rel_mm[:, _RIGHT]
    left = torch.nn.functional.normalize(across - (across * up).sum(1, keepdim=True) * up, dim=1)
    return torch.stack([left, up, torch.linalg.cross(left, up)], 1)


def measured(table: dict[str, Tensor]) -> Tensor:
    """[17, 3] mm, left, up and forward: the steady part of what was read of people beside the truth.

    Least squares over all surely read joints, reweighted so that gross errors do not count; symmetric by construction.
    """
    rel, root = table["true_rel_mm"].float(), table["true_root_mm"].float()
    depth = (rel + root[:, None])[:, _COCO, 2].clamp_min(300)  # [M, 17]
    mm_per_px = depth / table["intrinsics"].float()[:, :1]
    error = (table["joints_px"].float() - table["true_px"].float()[:, _COCO]) * mm_per_px[..., None]  # [M, 17, 2] mm
    axes = torso_axes(rel)[:, None, :, :2].expand(-1, len(_COCO), -1, -1)  # [M, 17, 3, 2]: image x and y of each axis
    weight = ((table["scores"] > _SURE) & (table["inside"][:, _COCO] > 0)).float()
    offset = torch.zeros(len(_COCO), 3)
    for _ in range(_ROUNDS):
        off = (error - torch.einsum("mjkc,jk->mjc", axes, offset)).norm(dim=-1)
        w = weight / (1 + (off / _OUTLIER_MM).square())
        normal = torch.einsum("mj,mjkc,mjlc->jkl", w, axes, axes) + 1e-3 * torch.eye(3)
        offset = torch.linalg.solve(normal, torch.einsum("mj,mjkc,mjc->jk", w, axes, error))
    return _symmetric(offset)


def moved(rel_mm: Tensor, offset_mm: Tensor, share: Tensor) -> Tensor:
    """[M, 17, 3] COCO's joints of bodies [M, 25, 3], each moved by its share [M] of the offsets [17, 3]."""
    shift = torch.einsum("mkc,jk->mjc", torso_axes(rel_mm), offset_mm)
    return rel_mm[:, _COCO] + share[:, None, None] * shift


def _symmetric(offset: Tensor) -> Tensor:
    """The mean of the offsets and their mirror image."""
    names = list(COCO17.joints)
    other = [names.index(_other_side(name)) for name in names]
    return (offset + offset[other] * torch.tensor([-1.0, 1.0, 1.0])) / 2


def _other_side(name: str) -> str:
    if name.startswith("left_"):
        return "right_" + name.removeprefix("left_")
    return "left_" + name.removeprefix("right_") if name.startswith("right_") else name
