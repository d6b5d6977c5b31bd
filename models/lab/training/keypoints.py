"""Trains a crop network for 2D keypoints on labelled photos: MoveNet Lightning, further, on crops of people.

The network keeps its four heads, so that a crop stage can read it as before. Heatmaps and the centre learn by the
focal loss of CenterNet, offsets and regressed joints by mean distance; other people's joints in a crop are background.

Sources: CenterNet (arXiv 1904.07850); AdamW (arXiv 1711.05101). Run as
`python -m posecascade.models.lab.training.keypoints --data FOLDER --out FOLDER`; the same command resumes.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from posecascade.models.arrays import Image
from posecascade.models.lab.datasets.coco_crops import (
    Crop,
    CropPerson,
    PhotoCache,
    augmented_crop,
    people_of,
    training_people,
)
from posecascade.models.lab.datasets.errors import DatasetError
from posecascade.models.lab.datasets.labelled import read_folder
from posecascade.models.lab.evaluation.contact_sheet import save_jpeg
from posecascade.models.lab.networks.movenet import STRIDE, Maps, MoveNet
from posecascade.models.lab.networks.pretrained import load_movenet
from posecascade.models.lab.networks.readout import READ_JOINTS
from posecascade.models.lab.scoring.true_boxes import counted, pck_at_true_boxes
from posecascade.models.lab.training.keypoint_sheet import crop_sheet
from posecascade.models.lab.training.trainer import Run

VARIANT: Final = "lightning"
SIZE_HW: Final = (256, 192)
TURNED: Final = (0, 180)
"""Degrees at which people are read when the network is measured."""

_PEAK_CELLS: Final = 1.5
"""Standard deviation of a true heatmap's peak."""
_NEAR: Final = 0.3
"""Height of the true peak from which a cell's offset is trained: the cell that is read may lie beside the right one."""
_SHEET_CROPS: Final = 40


@dataclass(frozen=True, slots=True)
class KeypointSchedule:
    """How the network is fitted; what `Run` reads of a recipe."""

    steps: int = 8000
    batch: int = 16
    learning_rate: float = 7e-5
    """BatchNorm is folded: at 4e-4 what the network has learned is destroyed."""
    weight_decay: float = 1e-2
    warm_up: int = 100
    average: float = 0.998
    checkpoint_every: int = 60
    """Steps: two to five minutes on one core."""
    evaluate_every: int = 300
    """Steps, a multiple of `checkpoint_every`."""


@dataclass(frozen=True, slots=True)
class KeypointWeights:
    """How much each term counts."""

    heatmaps: float = 1.0
    offsets: float = 1.0
    center: float = 0.1
    """Low, as `regress`: both only keep what the crop stage's readout looks up."""
    regress: float = 0.5


class CropBatch(NamedTuple):
    """N crops and their labels, in heatmap cells."""

    image_bgr: Tensor
    """[N, H, W, 3] uint8"""
    joints: Tensor
    """[N, 17, 2] (x, y); cell i spans i to i + 1."""
    labelled: Tensor
    """[N, 17] 1 where the joint's place is known."""
    shown: Tensor
    """[N, 17] 1 where that place is in the picture."""
    center: Tensor
    """[N, 2] (x, y) of the person's middle."""
    size: Tensor
    """[N] square root of the box's area."""


def batch_of(crops: Sequence[Crop]) -> CropBatch:
    """Crops as tensors."""
    boxes = np.stack([crop.box_xyxy_px for crop in crops]) / STRIDE  # [N, 4]
    sides = boxes[:, 2:] - boxes[:, :2]
    return CropBatch(
        image_bgr=torch.from_numpy(np.stack([crop.image_bgr for crop in crops])),
        joints=_tensor([crop.joints_px / STRIDE for crop in crops]),
        labelled=_tensor([crop.labelled for crop in crops]),
        shown=_tensor([crop.shown for crop in crops]),
        center=_tensor((boxes[:, :2] + boxes[:, 2:]) / 2),
        size=_tensor(np.sqrt(sides.prod(1)).clip(1.0)),
    )


def _tensor(values: Sequence[np.ndarray] | np.ndarray) -> Tensor:
    return torch.from_numpy(np.asarray(values, np.float32))


class CropSupply:
    """Draws batches of augmented crops; all chance comes from one generator."""

    def __init__(
        self, people: Sequence[CropPerson], batch: int, chance: torch.Generator
    ):
        self.people, self.batch, self.chance = people, batch, chance
        self._photos = PhotoCache()

    def crops(self, count: int) -> list[Crop]:
        """Of people drawn at random."""
        seed = int(torch.randint(2**62, (1,), generator=self.chance))
        rng = np.random.default_rng(seed)
        drawn = [self.people[i] for i in rng.integers(len(self.people), size=count)]
        return [
            augmented_crop(person, self._photos(person), SIZE_HW, rng)
            for person in drawn
        ]

    def __call__(self) -> CropBatch:
        return batch_of(self.crops(self.batch))


def peaks_at(places: Tensor, shown: Tensor, height: int, width: int) -> Tensor:
    """[N, J, h, w] Gaussian peaks, exactly 1 in the cell of each shown place [N, J, 2] (x, y); 0 for the others."""
    middle = places.floor()[..., None, None]  # [N, J, 2, 1, 1]
    rows = torch.arange(height, device=places.device).view(1, 1, -1, 1)
    columns = torch.arange(width, device=places.device).view(1, 1, 1, -1)
    squared = (columns - middle[:, :, 0]) ** 2 + (rows - middle[:, :, 1]) ** 2
    return torch.exp(-squared / (2 * _PEAK_CELLS**2)) * shown[..., None, None]


def focal_loss(logits: Tensor, truth: Tensor, counted: Tensor) -> Tensor:
    """CenterNet's focal loss over its number of peaks.

    Args:
        logits: [N, J, h, w].
        truth: [N, J, h, w] peaks; exactly 1 at their top.
        counted: [N, J] 1 for the maps that count.

    Source: arXiv 1904.07850, equation 1, alpha 2, beta 4.
    """
    found = logits.sigmoid()
    top = (truth == 1).to(logits.dtype)
    at_top = top * (1 - found).square() * F.logsigmoid(logits)
    elsewhere = (1 - top) * (1 - truth) ** 4 * found.square() * F.logsigmoid(-logits)
    maps = counted[..., None, None]
    return -((at_top + elsewhere) * maps).sum() / (top * maps).sum().clamp_min(1)


def offset_loss(offsets: Tensor, truth: Tensor, joints: Tensor) -> Tensor:
    """Mean distance in cells between joints and where the cells about them point, by the height of the true peak.

    Args:
        offsets: [N, 34, h, w] (dy, dx) per joint.
        truth: [N, 17, h, w] peaks.
        joints: [N, 17, 2] (x, y) in cells.
    """
    height, width = truth.shape[2:]
    weight = truth * (truth >= _NEAR)
    pointed = offsets.unflatten(1, (READ_JOINTS, 2))  # [N, 17, 2, h, w]
    rows = torch.arange(height, device=truth.device).view(-1, 1)
    columns = torch.arange(width, device=truth.device)
    off_y = rows + pointed[:, :, 0] - joints[..., 1, None, None]
    off_x = columns + pointed[:, :, 1] - joints[..., 0, None, None]
    return _weighted((off_y.square() + off_x.square() + 1e-6).sqrt(), weight)


def regress_loss(regress: Tensor, batch: CropBatch) -> Tensor:
    """Mean distance of the joints that the person's middle cell regresses, in sizes of the person."""
    height, width = regress.shape[2:]
    limit = torch.tensor([width - 1, height - 1], device=regress.device)
    cell = batch.center.floor().clamp_min(0).minimum(limit).long()  # [N, 2] x, y
    people = torch.arange(len(cell), device=regress.device)
    moves = regress[people, :, cell[:, 1], cell[:, 0]].unflatten(1, (READ_JOINTS, 2))
    places = cell[:, None] + moves.flip(-1)  # [N, 17, 2] x, y
    off = ((places - batch.joints).square().sum(-1) + 1e-6).sqrt()
    relative = off / batch.size[:, None]
    return _weighted(relative.clamp_max(2.0), batch.labelled)


def keypoint_losses(
    maps: Maps, batch: CropBatch, weights: KeypointWeights
) -> dict[str, Tensor]:
    """Each term, weighted, and their sum under `total`; a joint without a label costs nothing."""
    height, width = maps.heatmaps.shape[2:]
    joints = peaks_at(batch.joints, batch.shown, height, width)
    everybody = torch.ones_like(batch.size)[:, None]  # [N, 1]
    middles = peaks_at(batch.center[:, None], everybody, height, width)
    terms = {
        "heatmaps": weights.heatmaps
        * focal_loss(maps.heatmaps, joints, batch.labelled),
        "offsets": weights.offsets * offset_loss(maps.offsets, joints, batch.joints),
        "center": weights.center * focal_loss(maps.center, middles, everybody),
        "regress": weights.regress * regress_loss(maps.regress, batch),
    }
    return terms | {"total": torch.stack(list(terms.values())).sum()}


def keypoint_terms(
    supply: Callable[[], CropBatch], weights: KeypointWeights, device: torch.device
) -> Callable[[nn.Module], dict[str, Tensor]]:
    """The losses on the next batch."""

    def terms(network: nn.Module) -> dict[str, Tensor]:
        batch = CropBatch(*(part.to(device) for part in supply()))
        return keypoint_losses(network(batch.image_bgr), batch, weights)

    return terms


def _weighted(values: Tensor, weight: Tensor) -> Tensor:
    return (values * weight).sum() / weight.sum().clamp_min(1e-3)


@dataclass(slots=True)
class KeypointRun(Run):
    """A run that measures its averaged network on held-out people as it saves."""

    measure: Callable[[nn.Module], dict[str, float]] = field(kw_only=True)
    evaluate_every: int = field(kw_only=True)

    def _checkpoint(
        self, adam: torch.optim.Optimizer, average: nn.Module, step: int
    ) -> None:
        Run._checkpoint(self, adam, average, step)
        if step % self.evaluate_every == 0 or step == self.schedule.steps:
            figures = self.measure(average.get_submodule("module"))
            append(self.folder / "held_out.jsonl", {"step": step} | figures)
            average.train()


def append(path: Path, figures: dict[str, float]) -> None:
    """One line of a JSONL log, with the time."""
    line = {"time": time.time()} | figures
    with path.open("a") as log:
        log.write(json.dumps(line) + "\n")


def measured(
    network: nn.Module, people: Sequence[CropPerson], device: torch.device
) -> dict[str, float]:
    """PCK2D@.1 in percent at each of the angles `TURNED`, by the name `pck_DEGREES`."""
    figures = {"people": float(len(people))}
    for degrees in TURNED:
        pck = pck_at_true_boxes(
            network.eval(), people, SIZE_HW, device, np.radians(degrees)
        )
        figures[f"pck_{degrees}"] = round(100 * pck, 2)
    return figures


def train(
    data: Path,
    out: Path,
    start: Path,
    schedule: KeypointSchedule,
    seed: int,
    device: torch.device,
) -> MoveNet:
    """Trains to the last step, from the checkpoint in `out` where there is one; returns the averaged network.

    Raises:
        DatasetError: the photos cannot be read or may not be trained on.
        ValueError: `start` is no MoveNet of the variant, or the checkpoint is damaged.
    """
    torch.manual_seed(seed)
    chance = torch.Generator().manual_seed(seed)
    learned, held_out = training_people(data)
    test = counted(held_out)
    supply = CropSupply(learned, schedule.batch, chance)
    network = load_movenet(VARIANT, start)
    out.mkdir(parents=True, exist_ok=True)
    if not (out / "held_out.jsonl").exists():
        append(out / "held_out.jsonl", {"step": 0} | measured(network, test, device))
    run = KeypointRun(
        module=network,
        terms=keypoint_terms(supply, KeypointWeights(), device),
        chance=chance,
        schedule=schedule,
        folder=out,
        device=device,
        measure=lambda average: measured(average, test, device),
        evaluate_every=schedule.evaluate_every,
    )
    trained = run.fit()
    if not isinstance(trained, MoveNet):
        raise TypeError(f"want a MoveNet, got {type(trained).__name__}")
    return trained


def save_network(network: MoveNet, path: Path) -> None:
    """Writes the weights in half precision, and of which variant and input size they are."""
    half = {name: value.half() for name, value in network.state_dict().items()}
    about = {"variant": VARIANT, "size_hw": SIZE_HW, "weights": half}
    partial = path.with_suffix(".partial")
    torch.save(about, partial)
    partial.replace(path)


def load_network(path: Path) -> MoveNet:
    """The network that `save_network` wrote.

    Raises:
        ValueError: the file is none, or is damaged.
    """
    try:
        saved = torch.load(path, map_location="cpu", weights_only=True)
        network = MoveNet(saved["variant"])
        weights = {name: value.float() for name, value in saved["weights"].items()}
        network.load_state_dict(weights)
    except Exception as error:  # torch.load raises whatever its parsers raise
        raise ValueError(f"{path} is no crop network: {error}") from error
    return network.eval()


def evenly(people: Sequence[CropPerson], count: int) -> list[CropPerson]:
    """`count` people at even steps through all of them, or all where there are fewer."""
    steps = np.linspace(0, len(people) - 1, min(count, len(people)))
    return [people[i] for i in steps.round().astype(int)]


def augmented_sheet(data: Path, seed: int) -> Image:
    """Training crops with their joints drawn, to look at before a run."""
    learned, _ = training_people(data)
    chance = torch.Generator().manual_seed(seed)
    return crop_sheet(CropSupply(learned, 1, chance).crops(_SHEET_CROPS))


def main(argv: Sequence[str] | None = None) -> int:
    """Trains, then measures on the test folder; 0 done, 2 something that was asked for is wrong."""
    args = _arguments(argv)
    device = torch.device(args.device)
    schedule = KeypointSchedule(steps=args.steps, learning_rate=args.learning_rate)
    try:
        if args.sheet:
            save_jpeg(args.sheet, augmented_sheet(args.data, args.seed))
            return 0
        network = train(args.data, args.out, args.start, schedule, args.seed, device)
        save_network(network, args.out / "crop_network.pt")
        if args.test:
            _test(network, args, device)
    except (ValueError, DatasetError, OSError) as error:
        sys.stderr.write(f"keypoints: {error}\n")
        return 2
    return 0


def _test(network: MoveNet, args: argparse.Namespace, device: torch.device) -> None:
    """Logs the figures of the start and of the trained network on people of the test folder."""
    everybody = counted(people_of(read_folder(args.test).frames))
    people = evenly(everybody, args.test_people)
    networks = {"start": load_movenet(VARIANT, args.start).to(device), "end": network}
    for name, of in networks.items():
        figures = measured(of, people, device)
        append(args.out / f"test_{name}.jsonl", figures)


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m posecascade.models.lab.training.keypoints",
        description="Train a crop network for 2D keypoints; the same command resumes.",
    )
    parser.add_argument("--data", type=Path, required=True, help="labelled photos")
    parser.add_argument("--out", type=Path, required=True, help="checkpoints and logs")
    parser.add_argument(
        "--start",
        type=Path,
        default=Path("models/weights/refine.onnx"),
        help="ONNX file that holds MoveNet Lightning, published or as the stage refine",
    )
    parser.add_argument(
        "--test", type=Path, help="labelled photos, measured once at the end"
    )
    parser.add_argument("--test-people", type=int, default=300)
    parser.add_argument("--sheet", type=Path, help="only draw crops into this JPEG")
    plain = KeypointSchedule()
    parser.add_argument("--steps", type=int, default=plain.steps)
    parser.add_argument("--learning-rate", type=float, default=plain.learning_rate)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--device", default="cuda" if torch.cuda.is_available() else "cpu"
    )
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
