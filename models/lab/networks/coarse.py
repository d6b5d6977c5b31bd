"""Stage one: everybody in the frame, in one pass whose time does not depend on their number."""

import torch
from torch import Tensor, nn

from posecascade.models.lab.networks.lifter import (
    Body,
    BodyHead,
    contract_outputs,
)
from posecascade.models.lab.networks.movenet import Maps, MoveNet
from posecascade.models.lab.networks.readout import Reading, peaks, read
from posecascade.models.records import Stage

SLOTS = 32
"""Largest number of people in a frame; on most frames the weakest slots are empty and have a low score."""

CENTER_FLOOR = 0.05
"""Centre probability below which a slot is empty: the head is not trained there, and its score is 0."""


class CoarseStage(nn.Module):
    """Frame in, `SLOTS` people out, strongest centre first."""

    stage = Stage.COARSE

    def __init__(self, variant: str = "multipose", slots: int = SLOTS):
        super().__init__()
        self.variant = variant
        self.slots = slots
        self.network = MoveNet(variant)
        self.head = BodyHead(deep=False)

    def read(self, maps: Maps) -> Reading:
        """Readings of N x slots people, frame by frame."""
        return read(maps, peaks(maps.center, self.slots))

    def forward(self, image_bgr: Tensor, intrinsics: Tensor) -> dict[str, Tensor]:
        """The contract's outputs [N, slots, ...].

        Args:
            image_bgr: [N, H, W, 3] uint8; H and W multiples of 32.
            intrinsics: [N, 4] fx, fy, cx, cy in pixels of `image_bgr`.
        """
        maps = self.network(image_bgr)
        reading = self.read(maps)
        body = self.head(reading, intrinsics.repeat_interleave(self.slots, 0))
        outputs = contract_outputs(body) | {"disagreement": disagreement(reading, body)}
        outputs["score"] = outputs["score"] * (reading.center_score > CENTER_FLOOR)
        return {
            name: value.unflatten(0, (-1, self.slots))
            for name, value in outputs.items()
        }

    def example_inputs(self, batch: int = 2) -> dict[str, Tensor]:
        """Inputs of the right shape, to trace the network with."""
        generator = torch.Generator().manual_seed(0)
        return {
            "image_bgr": torch.randint(
                0, 256, (batch, 256, 448, 3), dtype=torch.uint8, generator=generator
            ),
            "intrinsics": torch.tensor([430.0, 430.0, 224.0, 128.0])
            .expand(batch, 4)
            .contiguous(),
        }


def disagreement(reading: Reading, body: Body) -> Tensor:
    """[M] mean distance between heatmap peak and regressed joint, in sizes of the body; large where they conflict."""
    offsets = reading.joints_px - reading.regressed_px
    distance_px: Tensor = offsets.norm(dim=-1).mean(-1)
    size_px = body.view.scale[:, 0, 0] * body.view.focal[:, 0, 0]
    return distance_px / size_px
