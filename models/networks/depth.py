"""Depth of a person's joints read in the picture: BlazePose in the upright square that the joints give.

2D joints alone leave open which way a body is turned; a network trained on pictures tells front from back.
"""

from typing import Final

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.networks.blazepose import SIDE_PX, BlazePose
from models.networks.readout import Reading
from models.skeleton import JOINT_NAMES, JOINTS

# cascade25 joint: BlazePose landmarks whose mean it is
_LANDMARKS: Final = {
    "pelvis": (23, 24), "spine": (11, 12, 23, 24), "neck": (11, 12), "head_top": (7, 8), "nose": (0,),
    "left_eye": (2,), "right_eye": (5,), "left_ear": (7,), "right_ear": (8,),
    "left_shoulder": (11,), "right_shoulder": (12,), "left_elbow": (13,), "right_elbow": (14,),
    "left_wrist": (15,), "right_wrist": (16,), "left_hip": (23,), "right_hip": (24,),
    "left_knee": (25,), "right_knee": (26,), "left_ankle": (27,), "right_ankle": (28,),
    "left_heel": (29,), "right_heel": (30,), "left_toe": (31,), "right_toe": (32,),
}  # fmt: skip

_SHOULDERS, _HIPS = slice(5, 7), slice(11, 13)
_SEEN = 0.2
"""Heatmap score from which a joint stretches the square."""
_MARGIN = 1.25
"""Half the square's side over the distance from the hips to the farthest joint, as BlazePose was trained."""


class DepthReader(nn.Module):
    """A crop and the joints read in it, in; the joints' depths out."""

    def __init__(self, variant: str):
        super().__init__()
        self.network = BlazePose(variant)
        self.register_buffer("landmarks", _landmark_matrix(), persistent=False)  # [25, 39]

    def forward(self, crop_bgr: Tensor, reading: Reading) -> Tensor:
        """[M, 25] metres away from the camera, relative to the pelvis.

        Args:
            crop_bgr: [M, H, W, 3] uint8.
            reading: what was read in the crops.
        """
        away = self.network(upright_square(crop_bgr, reading))[..., 2]  # [M, 39]
        depths = away @ self.landmarks.T
        return depths - depths[:, :1]


def upright_square(crop_bgr: Tensor, reading: Reading) -> Tensor:
    """[M, 3, 256, 256] RGB in 0..1: round the middle of the hips, spine upright, as wide as the seen joints reach."""
    joints, seen = reading.joints_px, reading.scores > _SEEN  # [M, 17, 2], [M, 17]
    hips, shoulders = joints[:, _HIPS].mean(1), joints[:, _SHOULDERS].mean(1)  # [M, 2]
    up = F.normalize(shoulders - hips + torch.tensor([0.0, -1e-3], device=joints.device), dim=1)
    far = (joints - hips[:, None]).norm(dim=2)  # [M, 17]
    nobody = ~seen.any(1, keepdim=True)
    radius = _MARGIN * torch.where(seen | nobody, far, torch.zeros_like(far)).amax(1).clamp_min(4.0)  # [M]
    # Columns of the square run along `right`, rows along `down`, in pixels of the crop.
    right = torch.stack([-up[:, 1], up[:, 0]], 1) * radius[:, None]
    down = -up * radius[:, None]
    height, width = crop_bgr.shape[1:3]
    half = torch.tensor([width / 2, height / 2], device=joints.device)
    to_crop = torch.stack([right / half, down / half, hips / half - 1], 2)  # [M, 2, 3], both in -1..1
    grid = F.affine_grid(to_crop, [len(joints), 3, SIDE_PX, SIDE_PX], align_corners=False)
    picture = crop_bgr.to(grid.dtype).permute(0, 3, 1, 2).flip(1) / 255
    return F.grid_sample(picture, grid, mode="bilinear", padding_mode="zeros", align_corners=False)


def _landmark_matrix() -> Tensor:
    """[25, 39] mean of the landmarks that each joint of cascade25 is."""
    matrix = torch.zeros(JOINTS, 39)
    for row, name in enumerate(JOINT_NAMES):
        matrix[row, list(_LANDMARKS[name])] = 1 / len(_LANDMARKS[name])
    return matrix
