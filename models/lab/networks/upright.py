"""BlazePose on the upright square round a person: depths, and a further candidate of each joint.

2D joints alone leave open which way a body faces; a network that sees the picture tells front from back. Since it is
shown everybody upright, it also reads poses that MoveNet seldom saw, such as people upside down or lying.
"""

from typing import Final, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from posecascade.models.lab.networks.blazepose import LANDMARKS, SIDE_PX, BlazePose
from posecascade.models.skeleton import COCO17, JOINT_NAMES, JOINTS

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
"""Score from which a joint stretches the square."""
_MARGIN = 1.25
"""Half the square's side over the distance from the hips to the farthest joint, as BlazePose was trained."""


class UprightReading(NamedTuple):
    """BlazePose's prediction for M people."""

    joints_px: Tensor
    """[M, 17, 2] COCO's joints in pixels of the crop."""
    scores: Tensor
    """[M, 17] probability that the joint can be seen."""
    depths_m: Tensor
    """[M, 25] away from the camera, relative to the pelvis."""


class Square(NamedTuple):
    """Where in their crops M upright squares lie, in pixels."""

    middle: Tensor
    """[M, 2]"""
    right: Tensor
    """[M, 2] from the middle to the middle of the right side."""
    down: Tensor
    """[M, 2] from the middle to the middle of the lower side."""

    def to_crop(self, square: Tensor) -> Tensor:
        """[M, J, 2] crop pixels of places [M, J, 2] in the square, which runs from -1 to 1."""
        return (
            self.middle[:, None]
            + square[..., :1] * self.right[:, None]
            + square[..., 1:] * self.down[:, None]
        )


class UprightReader(nn.Module):
    """Crops and first estimates of the joints in, BlazePose's reading out."""

    landmarks: Tensor
    """[25, 39] weights of the landmarks in each joint."""
    coco: Tensor
    """[17] landmark of each COCO joint."""

    def __init__(self, variant: str):
        super().__init__()
        self.network = BlazePose(variant)
        coco = torch.tensor([_LANDMARKS[name][0] for name in COCO17.joints])
        self.register_buffer("landmarks", _landmark_matrix(), persistent=False)
        self.register_buffer("coco", coco, persistent=False)

    def forward(
        self, crop_bgr: Tensor, joints_px: Tensor, scores: Tensor
    ) -> UprightReading:
        """The people at `joints_px` [M, 17, 2], read with `scores` [M, 17], in their crops [M, H, W, 3] uint8."""
        square = upright_square(joints_px, scores)
        landmarks, world = self.network(resampled(crop_bgr, square))
        joints = landmarks[:, self.coco]  # [M, 17, 5]
        in_square = joints[..., :2] / (SIDE_PX / 2) - 1
        depths = world[..., 2] @ self.landmarks.T
        return UprightReading(
            joints_px=square.to_crop(in_square),
            scores=joints[..., 3].sigmoid(),
            depths_m=depths - depths[:, :1],
        )


def upright_square(joints_px: Tensor, scores: Tensor) -> Square:
    """Round the middle of the hips, spine upright, as wide as the seen joints reach."""
    seen = scores > _SEEN  # [M, 17]
    hips = joints_px[:, _HIPS].mean(1)  # [M, 2]
    shoulders = joints_px[:, _SHOULDERS].mean(1)
    upwards = torch.tensor([0.0, -1e-3], device=joints_px.device)  # if they coincide
    up = F.normalize(shoulders - hips + upwards, dim=1)
    distance = (joints_px - hips[:, None]).norm(dim=2)  # [M, 17]
    none_seen = ~seen.any(1, keepdim=True)
    reached = torch.where(seen | none_seen, distance, torch.zeros_like(distance))
    radius = _MARGIN * reached.amax(1, keepdim=True).clamp_min(4.0)
    right = torch.stack([-up[:, 1], up[:, 0]], 1)
    return Square(middle=hips, right=right * radius, down=-up * radius)


def resampled(crop_bgr: Tensor, square: Square) -> Tensor:
    """[M, 3, 256, 256] RGB in 0..1: the squares cut from their crops [M, H, W, 3] uint8; black beyond them."""
    height, width = crop_bgr.shape[1:3]
    half = torch.tensor([width / 2, height / 2], device=square.middle.device)
    # of the crop, which runs from -1 to 1
    middle, right, down = ((place / half)[:, None, None] for place in square)
    line = (torch.arange(SIDE_PX, device=half.device) + 0.5) / (SIDE_PX / 2) - 1
    across = right * line[:, None]
    along = down * line[:, None, None]
    grid = (middle - 1 + across) + along  # [M, 256, 256, 2]
    picture = crop_bgr.to(grid.dtype).permute(0, 3, 1, 2).flip(1) / 255
    return F.grid_sample(
        picture, grid, mode="bilinear", padding_mode="zeros", align_corners=False
    )


def _landmark_matrix() -> Tensor:
    """[25, 39] mean of the landmarks that each joint of cascade25 is."""
    matrix = torch.zeros(JOINTS, LANDMARKS)
    for row, name in enumerate(JOINT_NAMES):
        matrix[row, list(_LANDMARKS[name])] = 1 / len(_LANDMARKS[name])
    return matrix
