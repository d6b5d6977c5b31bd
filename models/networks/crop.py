"""Stages two and three: one person's region again, larger, by a network that knows whose body it is asked about."""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

from models.networks.agreement import agreed
from models.networks.body import BodyHead, outputs
from models.networks.coarse import disagreement
from models.networks.movenet import STRIDE, Maps, MoveNet
from models.networks.readout import Reading, extent, peaks, read, regressed
from models.networks.upright import UprightReader
from models.records import Stage
from models.skeleton import COCO17

VARIANT = {Stage.REFINE: "lightning", Stage.EXPERT: "thunder"}
UPRIGHT_VARIANT = {Stage.REFINE: "lite", Stage.EXPERT: "full"}
SIZE_HW = {Stage.REFINE: (256, 160), Stage.EXPERT: (256, 192)}
"""Of the crop, multiples of 32. Upright, as people mostly are: as good as a square, at three quarters of its cost."""

_CANDIDATES = 8
"""Centres that are compared with the prior."""


class Prior(NamedTuple):
    """What an earlier stage said of the same people, in pixels and camera axes of this stage's input."""

    joints_px: Tensor
    """[M, 25, 2]"""
    rel_mm: Tensor
    """[M, 25, 3]"""
    sigma_mm: Tensor
    """[M, 25]"""
    scores: Tensor
    """[M, 25]"""


@dataclass(frozen=True, slots=True)
class Opinions:
    """What an opinion on a joint weighs at most, beside a heatmap's clear peak, which weighs 1."""

    regressed: float = 0.1
    prior: float = 0.2
    upright: float = 0.3

    @property
    def all_of_them(self) -> float:
        return 1 + self.regressed + self.prior + self.upright


class CropStage(nn.Module):
    """Crop and prior in, the same person out."""

    def __init__(self, stage: Stage):
        super().__init__()
        self.stage, self.variant, self.size_hw = stage, VARIANT[stage], SIZE_HW[stage]
        self.network = MoveNet(self.variant)
        self.upright = UprightReader(UPRIGHT_VARIANT[stage])
        self.head = BodyHead(deep=True)
        self.opinions = Opinions()
        self.register_buffer("coco", torch.tensor(COCO17.source), persistent=False)

    def read(self, crop_bgr: Tensor, prior: Prior) -> Reading:
        """What crops [N, *size_hw, 3] show of the people whom the prior describes.

        MoveNet's peaks, the joints its centre regresses, the prior and, where these agree to look, BlazePose are asked
        of every joint; scores are the support of the place that won, 1 where all opinions are sure and alike.
        """
        first = self._peaks(self.network(crop_bgr), prior)
        known_px, known = prior.joints_px[:, self.coco], prior.scores[:, self.coco]  # [N, 17, 2], [N, 17]
        size = (known_px - known_px[:, 11:13].mean(1, keepdim=True)).square().sum(2).mean(1).sqrt().clamp_min(2.0)
        places = [first.joints_px, first.regressed_px, known_px]
        weigh = self.opinions
        weights = [first.scores, torch.full_like(known, weigh.regressed), weigh.prior * known]
        middle, support = agreed(torch.stack(places, 2), torch.stack(weights, 2), size)
        again = self.upright(crop_bgr, middle, support)
        joints, support = agreed(
            torch.stack([*places, again.joints_px], 2), torch.stack([*weights, weigh.upright * again.scores], 2), size
        )
        return first._replace(joints_px=joints, scores=support / weigh.all_of_them, depths_m=again.depths_m)

    def _peaks(self, maps: Maps, prior: Prior) -> Reading:
        """Reads the person whose regressed pose lies nearest to the prior, joints drawn towards it by its scores."""
        guide = prior.joints_px[:, self.coco].flip(-1).unsqueeze(1) / STRIDE  # [N, 1, 17, 2] (y, x) in cells
        size = extent(guide)  # [N, 1, 1, 1]
        trust = prior.scores[:, self.coco].unsqueeze(1)  # [N, 1, 17]
        cells = peaks(maps.center, _CANDIDATES)  # [N, 8]
        far = (regressed(maps, cells) - guide).square().sum(-1) / (2 * (0.25 * size.squeeze(3)) ** 2)  # [N, 8, 17]
        near = (torch.exp(-far) * trust).sum(2) / trust.sum(2).clamp_min(1e-3)
        found = torch.gather(maps.center.flatten(1), 1, cells).sigmoid()
        best = (near * (found + 0.1)).argmax(1, keepdim=True)
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
        return outputs(body) | {"disagreement": disagreement(reading, body)}

    def example_inputs(self, batch: int = 2) -> dict[str, Tensor]:
        """Inputs of the right shape, to trace the network with."""
        g = torch.Generator().manual_seed(0)
        height, width = self.size_hw
        return {
            "crop_bgr": torch.randint(0, 256, (batch, height, width, 3), dtype=torch.uint8, generator=g),
            "intrinsics": torch.tensor([500.0, 500.0, width / 2, height / 2]).expand(batch, 4).contiguous(),
            "prior_px": width * torch.rand(batch, 25, 2, generator=g),
            "prior_rel_mm": 300 * torch.randn(batch, 25, 3, generator=g),
            "prior_sigma_mm": 50 + 50 * torch.rand(batch, 25, generator=g),
            "prior_scores": torch.rand(batch, 25, generator=g),
        }
