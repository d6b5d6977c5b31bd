"""Stages of a few thousand weights with the inputs, outputs and kinds of operation of the real ones."""

import warnings

import cv2
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from posecascade.export.release import release
from posecascade.export.to_onnx import export_stage
from posecascade.models.records import Stage
from posecascade.models.skeleton import JOINTS

SLOTS = 4
SIZE = 64


class TinyCoarse(nn.Module):
    """Brightest cells are people: maxima, gathering and bilinear sampling at any frame size."""

    stage = Stage.COARSE

    def __init__(self):
        super().__init__()
        self.picture = nn.Sequential(
            nn.Conv2d(3, 16, 3, 2, 1), nn.ReLU6(), nn.Conv2d(16, 16, 3, 2, 1), nn.ReLU()
        )
        self.center = nn.Conv2d(16, 1, 1)
        self.body = nn.Linear(16, JOINTS * 7 + 3)

    def forward(self, image_bgr, intrinsics):
        maps = self.picture(
            image_bgr.float().permute(0, 3, 1, 2) / 255
        )  # [N, 16, H / 4, W / 4]
        center = self.center(maps).sigmoid()
        kept = center * (F.max_pool2d(center, 3, 1, 1) == center)
        score, cell = kept.flatten(1).topk(SLOTS)  # [N, K]
        height, width = maps.shape[2:]
        row = cell // width
        xy = torch.stack([cell - row * width, row], -1) + 0.5  # [N, K, 2] cells
        grid = (xy / torch.tensor([width, height]) * 2 - 1).unsqueeze(2)
        seen = (
            F.grid_sample(maps, grid, align_corners=False).squeeze(3).mT
        )  # [N, 16, K, 1] -> [N, K, 16]
        own = torch.gather(maps.flatten(2), 2, cell.unsqueeze(1).expand(-1, 16, -1)).mT
        return pose(
            self.body(seen + own), 4 * xy.unsqueeze(2), intrinsics[:, None, :1]
        ) | {"score": score + 0.5}

    def example_inputs(self, batch=2):
        g = torch.Generator().manual_seed(0)
        return {
            "image_bgr": torch.randint(
                0, 256, (batch, 64, 96, 3), dtype=torch.uint8, generator=g
            ),
            "intrinsics": torch.tensor([100.0, 100.0, 48.0, 32.0])
            .expand(batch, 4)
            .contiguous(),
        }


class TinyCrop(nn.Module):
    """The prior, moved by what a small network sees."""

    def __init__(self, stage):
        super().__init__()
        self.stage = stage
        self.picture = nn.Sequential(
            nn.Conv2d(3, 16, 3, 2, 1),
            nn.Hardswish(),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
        )
        self.body = nn.Linear(16 + JOINTS * 7, JOINTS * 7 + 3)

    def forward(
        self, crop_bgr, intrinsics, prior_px, prior_rel_mm, prior_sigma_mm, prior_scores
    ):
        seen = self.picture(crop_bgr.float().permute(0, 3, 1, 2) / 255)
        known = [
            prior_px.flatten(1) / SIZE,
            prior_rel_mm.flatten(1) / 1000,
            prior_sigma_mm / 100,
            prior_scores,
        ]
        found = self.body(torch.cat([seen, *known], 1))
        return pose(found, prior_px, intrinsics[:, :1]) | {
            "score": found[:, 0].sigmoid()
        }

    def example_inputs(self, batch=2):
        g = torch.Generator().manual_seed(0)
        return {
            "crop_bgr": torch.randint(
                0, 256, (batch, SIZE, SIZE, 3), dtype=torch.uint8, generator=g
            ),
            "intrinsics": torch.tensor([120.0, 120.0, 32.0, 32.0])
            .expand(batch, 4)
            .contiguous(),
            "prior_px": SIZE * torch.rand(batch, JOINTS, 2, generator=g),
            "prior_rel_mm": 300 * torch.randn(batch, JOINTS, 3, generator=g),
            "prior_sigma_mm": 50 + 50 * torch.rand(batch, JOINTS, generator=g),
            "prior_scores": torch.rand(batch, JOINTS, generator=g),
        }


def pose(found, about_px, focal):
    """The contract's outputs but for the score, from numbers [..., 25 * 7 + 3]."""
    px, rel, sigma, scores, rest = found.split(
        [JOINTS * 2, JOINTS * 3, JOINTS, JOINTS, 3], -1
    )
    return {
        "joints_px": about_px + 20 * px.unflatten(-1, (JOINTS, 2)),
        "joint_scores": scores.sigmoid(),
        "joints_rel_mm": 300 * rel.unflatten(-1, (JOINTS, 3)),
        "sigma_mm": 50 * F.softplus(sigma),
        "root_depth_mm": 40 * focal.squeeze(-1) * rest[..., 0].exp()
        if focal.ndim > 2
        else 40 * focal[:, 0] * rest[..., 0].exp(),
        "root_depth_sigma_mm": 100 * rest[..., 1].exp(),
        "disagreement": rest[..., 2].abs(),
    }


@pytest.fixture(scope="session")
def modules():
    """One stand-in of each stage, weights as a checkpoint holds them."""
    torch.manual_seed(0)
    made = {
        Stage.COARSE: TinyCoarse(),
        Stage.REFINE: TinyCrop(Stage.REFINE),
        Stage.EXPERT: TinyCrop(Stage.EXPERT),
    }
    for module in made.values():
        module.half().float()
    return made


@pytest.fixture(scope="session")
def exported(modules, tmp_path_factory):
    """The ONNX files of `modules`; seconds each, so once."""
    folder = tmp_path_factory.mktemp("exported")
    with warnings.catch_warnings(record=True) as caught:
        for stage, module in modules.items():
            export_stage(module, folder / f"{stage}.onnx")
    assert not caught
    return {stage: folder / f"{stage}.onnx" for stage in modules}


@pytest.fixture(scope="session")
def frames(tmp_path_factory):
    """Noisy pictures, two of one shape and one of another."""
    folder = tmp_path_factory.mktemp("frames")
    rng = np.random.default_rng(0)
    for name, size in {
        "wide": (90, 160),
        "wide_too": (90, 160),
        "tall": (160, 90),
    }.items():
        blurred = cv2.GaussianBlur(
            rng.integers(0, 256, (*size, 3), np.uint8), (0, 0), 3
        )
        cv2.imwrite(
            str(folder / f"{name}.png"),
            cv2.normalize(blurred, None, 0, 255, cv2.NORM_MINMAX),
        )
    return [folder]


@pytest.fixture(scope="session")
def weights(modules, frames, tmp_path_factory):
    """A weights folder as `posecascade export onnx` leaves it."""
    folder = tmp_path_factory.mktemp("weights")
    release(modules, folder, frames)
    return folder
