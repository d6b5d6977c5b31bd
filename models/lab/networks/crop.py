"""Stages two and three: one person's crop, read by a network that is given the pose of an earlier stage."""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

from posecascade.models.lab.networks.coarse import disagreement
from posecascade.models.lab.networks.fusion import fuse_keypoints
from posecascade.models.lab.networks.lifter import BodyHead, contract_outputs
from posecascade.models.lab.networks.movenet import STRIDE, Maps, MoveNet
from posecascade.models.lab.networks.readout import (
    Reading,
    extent,
    peaks,
    read,
    regressed,
)
from posecascade.models.lab.networks.upright import UprightReader
from posecascade.models.records import Stage
from posecascade.models.skeleton import COCO17

VARIANT = {Stage.REFINE: "lightning", Stage.EXPERT: "thunder"}
UPRIGHT_VARIANT = {Stage.REFINE: "lite", Stage.EXPERT: "full"}
SIZE_HW = {Stage.REFINE: (256, 160), Stage.EXPERT: (256, 192)}
"""Of the crop, multiples of 32. Upright, as people mostly are: as good as a square, at three quarters of its cost."""

_CENTERS = 8
"""Person centres that are compared with the prior."""


class Prior(NamedTuple):
    """The pose of the same people by an earlier stage, in pixels and camera axes of this stage's input."""

    joints_px: Tensor
    """[M, 25, 2]"""
    rel_mm: Tensor
    """[M, 25, 3]"""
    sigma_mm: Tensor
    """[M, 25]"""
    scores: Tensor
    """[M, 25]"""


@dataclass(frozen=True, slots=True)
class CandidateWeights:
    """Largest weight of each other candidate of a joint, beside a heatmap's peak, which weighs up to 1."""

    regressed: float = 0.1
    prior: float = 0.2
    upright: float = 0.3

    @property
    def total(self) -> float:
        return 1 + self.regressed + self.prior + self.upright


class CropStage(nn.Module):
    """Crop and prior in, the same person out."""

    coco: Tensor
    """[17] joints of cascade25 that COCO has."""

    def __init__(self, stage: Stage):
        super().__init__()
        self.stage = stage
        self.variant = VARIANT[stage]
        self.size_hw = SIZE_HW[stage]
        self.network = MoveNet(self.variant)
        self.upright = UprightReader(UPRIGHT_VARIANT[stage])
        self.head = BodyHead(deep=True)
        self.candidate_weights = CandidateWeights()
        self.register_buffer("coco", torch.tensor(COCO17.source), persistent=False)

    def read(self, crop_bgr: Tensor, prior: Prior) -> Reading:
        """What crops [N, *size_hw, 3] show of the people whom the prior describes.

        Candidates of each joint are MoveNet's heatmap peak, the joint that its centre regresses, and the prior. Their
        fusion places the upright square that BlazePose reads; its joints are the fourth candidate. Scores are the
        support of the fused place, 1 where all candidates are sure and in one place.
        """
        reading = self._peaks(self.network(crop_bgr), prior)
        prior_px = prior.joints_px[:, self.coco]  # [N, 17, 2]
        prior_scores = prior.scores[:, self.coco]  # [N, 17]
        size_px = _spread_px(prior_px)
        share = self.candidate_weights
        candidates = [reading.joints_px, reading.regressed_px, prior_px]
        weights = [
            reading.scores,
            torch.full_like(prior_scores, share.regressed),
            share.prior * prior_scores,
        ]
        joints_px, support = fuse_keypoints(
            torch.stack(candidates, 2), torch.stack(weights, 2), size_px
        )
        upright = self.upright(crop_bgr, joints_px, support)
        candidates.append(upright.joints_px)
        weights.append(share.upright * upright.scores)
        joints_px, support = fuse_keypoints(
            torch.stack(candidates, 2), torch.stack(weights, 2), size_px
        )
        return reading._replace(
            joints_px=joints_px,
            scores=support / share.total,
            depths_m=upright.depths_m,
        )

    def _peaks(self, maps: Maps, prior: Prior) -> Reading:
        """Reads the person whose regressed pose is nearest to the prior; joints are drawn to it by its scores."""
        guide = prior.joints_px[:, self.coco].flip(-1).unsqueeze(1) / STRIDE
        # [N, 1, 17, 2] (y, x) in cells
        size = extent(guide)  # [N, 1, 1, 1]
        trust = prior.scores[:, self.coco].unsqueeze(1)  # [N, 1, 17]
        cells = peaks(maps.center, _CENTERS)  # [N, 8]
        squared = (regressed(maps, cells) - guide).square().sum(-1)  # [N, 8, 17]
        distance = squared / (2 * (0.25 * size.squeeze(3)) ** 2)
        similarity = (torch.exp(-distance) * trust).sum(2) / trust.sum(2).clamp_min(
            1e-3
        )
        center_score = torch.gather(maps.center.flatten(1), 1, cells).sigmoid()
        best = (similarity * (center_score + 0.1)).argmax(1, keepdim=True)
        width = (0.15 + 0.5 * (1 - trust)) * size.squeeze(3)  # [N, 1, 17] cells
        return read(maps, torch.gather(cells, 1, best), (guide,), (width,))

    def forward(
        self,
        crop_bgr: Tensor,
        intrinsics: Tensor,
        prior_px: Tensor,
        prior_rel_mm: Tensor,
        prior_sigma_mm: Tensor,
        prior_scores: Tensor,
    ) -> dict[str, Tensor]:
        """The contract's outputs [N, ...].

        Args:
            crop_bgr: [N, *size_hw, 3] uint8.
            intrinsics: [N, 4] fx, fy, cx, cy of the crop as a camera of its own.
            prior_px: [N, 25, 2] in the crop.
            prior_rel_mm: [N, 25, 3] in the axes of the crop's camera.
            prior_sigma_mm: [N, 25].
            prior_scores: [N, 25].
        """
        prior = Prior(prior_px, prior_rel_mm, prior_sigma_mm, prior_scores)
        reading = self.read(crop_bgr, prior)
        body = self.head(reading, intrinsics)
        return contract_outputs(body) | {"disagreement": disagreement(reading, body)}

    def example_inputs(self, batch: int = 2) -> dict[str, Tensor]:
        """Inputs of the right shape, to trace the network with."""
        g = torch.Generator().manual_seed(0)
        height, width = self.size_hw
        return {
            "crop_bgr": torch.randint(
                0, 256, (batch, height, width, 3), dtype=torch.uint8, generator=g
            ),
            "intrinsics": torch.tensor([500.0, 500.0, width / 2, height / 2])
            .expand(batch, 4)
            .contiguous(),
            "prior_px": width * torch.rand(batch, 25, 2, generator=g),
            "prior_rel_mm": 300 * torch.randn(batch, 25, 3, generator=g),
            "prior_sigma_mm": 50 + 50 * torch.rand(batch, 25, generator=g),
            "prior_scores": torch.rand(batch, 25, generator=g),
        }


def _spread_px(joints_px: Tensor) -> Tensor:
    """[N] root mean square distance of joints [N, 17, 2] from the middle of the hips, at least 2."""
    hips = joints_px[:, 11:13].mean(1, keepdim=True)
    mean_square = (joints_px - hips).square().sum(2).mean(1)
    return mean_square.sqrt().clamp_min(2.0)
