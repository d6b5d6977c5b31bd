"""Distillation of a picture network: a cheaper student learns the dense maps of a published teacher, cell by cell.

Teacher and student see the same augmented view ("consistent teaching", arXiv 2106.05237), so no picture needs a label.
The views must show people of every size, alone, in crowds and absent.
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from posecascade.models.lab.networks.movenet import Maps, MoveNet
from posecascade.models.lab.networks.readout import READ_JOINTS, extent

_FLOOR = 0.02
"""Weight of a cell where neither sees anything: most are, and each is easy."""
_LARGEST_CELLS = 2.0
"""Disagreements of an offset beyond this count alike: those cells belong to different people."""


def distillation(
    teacher: MoveNet, pictures: Callable[[], Tensor]
) -> Callable[[nn.Module], dict[str, Tensor]]:
    """The losses of a student on the next pictures [N, H, W, 3] uint8."""
    teacher.eval().requires_grad_(False)

    def terms(student: nn.Module) -> dict[str, Tensor]:
        shown = pictures()
        with torch.no_grad():
            wanted = teacher(shown)
        return distances(student(shown), wanted)

    return terms


def distances(student: Maps, teacher: Maps) -> dict[str, Tensor]:
    """How far a student's maps are from the teacher's, by kind of map; each about one when it knows nothing."""
    center, heat = teacher.center.sigmoid(), teacher.heatmaps.sigmoid()
    terms = {
        "center": 10 * _logistic(student.center, center),
        "heatmaps": 15 * _logistic(student.heatmaps, heat),
        "regress": 3 * _regressed(student.regress, teacher.regress, center),
        "offsets": _weighted(
            _by_joint(student.offsets, teacher.offsets).clamp_max(_LARGEST_CELLS), heat
        ),
    }
    return terms | {"total": torch.stack(list(terms.values())).sum()}


def _logistic(logits: Tensor, truth: Tensor) -> Tensor:
    """Cross entropy over the truth's own entropy, weighted to where either says that something is there."""
    weight = torch.maximum(logits.detach().sigmoid(), truth) + _FLOOR
    own = F.binary_cross_entropy(truth, truth, reduction="none")
    extra = F.binary_cross_entropy_with_logits(logits, truth, reduction="none") - own
    return _weighted(extra, weight)


def _regressed(student: Tensor, teacher: Tensor, center: Tensor) -> Tensor:
    """Mean distance of the regressed joints in sizes of the body, weighted to where people have their centres."""
    size = extent(teacher.unflatten(1, (READ_JOINTS, 2)).permute(0, 3, 4, 1, 2))[
        ..., 0, 0
    ]  # [N, h, w]
    distance = _by_joint(student, teacher) / size[:, None]
    return _weighted(distance.mean(1, keepdim=True).clamp_max(1.0), center.square())


def _by_joint(student: Tensor, teacher: Tensor) -> Tensor:
    """[N, 17, h, w] distances between vectors [N, 34, h, w]."""
    difference = (student - teacher).unflatten(1, (READ_JOINTS, 2))
    squared: Tensor = difference.square().sum(2)
    return squared.add(1e-6).sqrt()


def _weighted(values: Tensor, weight: Tensor) -> Tensor:
    return (values * weight).sum() / weight.sum().clamp_min(1e-3)
