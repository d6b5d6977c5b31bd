"""People of a frame in columns, while the cascade works on them."""

from dataclasses import dataclass, replace

import numpy as np

from models.arrays import Floats, Indices, Mask
from models.calibration.tables import Calibration, calibrated_score
from models.camera import back_project
from models.crops import Window
from models.records import Camera, Pose, Stage
from models.runners.base import Arrays


@dataclass(frozen=True, slots=True, eq=False)
class Looks:
    """One row a person: what a stage said of them, calibrated, in the frame's pixels and the camera's axes."""

    score: Floats
    """[P]"""
    joints_px: Floats
    """[P, 25, 2]"""
    joint_scores: Floats
    """[P, 25]"""
    rel_mm: Floats
    """[P, 25, 3]"""
    sigma_mm: Floats
    """[P, 25]"""
    root_depth_mm: Floats
    """[P]"""
    root_depth_sigma_mm: Floats
    """[P]"""
    disagreement: Floats
    """[P]"""

    def __len__(self) -> int:
        return len(self.score)

    def __getitem__(self, rows: Indices) -> "Looks":
        return Looks(*(getattr(self, name)[rows] for name in COLUMNS))

    def replaced(self, rows: Indices, other: "Looks") -> "Looks":
        """A copy in which `rows` are taken from `other`."""
        columns = {name: getattr(self, name).copy() for name in COLUMNS}
        for name, column in columns.items():
            column[rows] = getattr(other, name)
        return Looks(**columns)

    @property
    def sound(self) -> Mask:
        """[P] all numbers are finite and the distance positive: anything else is no answer."""
        finite = [np.isfinite(getattr(self, name)).reshape(len(self), -1).all(1) for name in COLUMNS]
        return np.asarray(np.all(finite, axis=0) & (self.root_depth_mm > 0))

    @property
    def expected_error_mm(self) -> Floats:
        """[P], see `Pose.expected_error_mm`."""
        error: Floats = np.sqrt(0.75) * self.sigma_mm.mean(1)
        return error

    def pose(self, row: int, camera: Camera) -> Pose:
        """A person's pose as a record."""
        depth = self.root_depth_mm[row]
        root = back_project(self.joints_px[row, 0], depth, camera)
        return Pose(self.joints_px[row], self.joint_scores[row], self.rel_mm[row], self.sigma_mm[row], root,
                    float(self.root_depth_sigma_mm[row] * np.linalg.norm(root) / depth))


COLUMNS = tuple(Looks.__dataclass_fields__)


def from_outputs(outputs: Arrays, windows: list[Window], stage: Stage, calibration: Calibration) -> Looks:
    """Outputs [P, ...] of a stage, each of its own window, calibrated and moved to the frame."""
    origin = np.array([[w.x_px, w.y_px] for w in windows])[:, None]
    scale = np.array([w.scale for w in windows])[:, None, None]
    return Looks(
        score=calibrated_score(outputs["score"].astype(np.float64), *calibration.score[stage]),
        joints_px=outputs["joints_px"] / scale + origin,
        joint_scores=outputs["joint_scores"].astype(np.float64),
        rel_mm=outputs["joints_rel_mm"].astype(np.float64),
        sigma_mm=outputs["sigma_mm"] * np.array(calibration.sigma_scale[stage]),
        root_depth_mm=outputs["root_depth_mm"].astype(np.float64),
        root_depth_sigma_mm=outputs["root_depth_sigma_mm"].astype(np.float64),
        disagreement=outputs["disagreement"].astype(np.float64),
    )


EARLIER_SHARE = 0.3
"""Of the earlier look in the root's depth after a deeper one. Distance hangs on hidden joints, and so on noise: two
looks steady it. Weighing them by variance steadies more, but on real footage `coarse` errs to one side."""


def with_steadier_depth(deeper: Looks, before: Looks) -> Looks:
    """The deeper looks [P] with a share of the earlier looks' root depth, in logarithms."""
    depth = deeper.root_depth_mm ** (1 - EARLIER_SHARE) * before.root_depth_mm**EARLIER_SHARE
    return replace(deeper, root_depth_mm=depth)


SECOND_SHARE = 0.5
"""Of a second deep look in the body's shape. Both were told the same by `coarse` and read the picture by networks of
their own, so that the mean of both is better than either; see docs/results.md."""


def with_second_opinion(deeper: Looks, before: Looks, again: Mask) -> Looks:
    """The deeper looks [P], those of `again` [P] in the mean with the deep look before them.

    Only the body is: in the picture the deeper look is better alone. Spreads are averaged like errors, for two looks at
    one picture err together.
    """
    share = np.where(again, 1 - SECOND_SHARE, 0.0)
    return replace(deeper, rel_mm=deeper.rel_mm + share[:, None, None] * (before.rel_mm - deeper.rel_mm),
                   sigma_mm=deeper.sigma_mm + share[:, None] * (before.sigma_mm - deeper.sigma_mm))


def boxes(joints_px: Floats) -> Floats:
    """[P, 4] x0, y0, x1, y1 round joints [P, 25, 2], with a margin for flesh and clothes."""
    low, high = joints_px.min(1), joints_px.max(1)
    margin = 0.06 * (high - low).max(1, keepdims=True)
    return np.concatenate([low - margin, high + margin], 1)


def boxes_in_frame(joints_px: Floats, width: int, height: int) -> Floats:
    """[P, 4] left, top, width, height of the part of the boxes that lies in the frame."""
    box = np.clip(boxes(joints_px), 0, [width, height, width, height])
    return np.concatenate([box[:, :2], box[:, 2:] - box[:, :2]], 1)


SAME_PERSON = 0.5


def distinct(looks: Looks) -> Indices:
    """Rows, best score first, without second finds of a person.

    Two poses are of one person when the mean over their joints of exp(-d^2 / (2 (0.1 s)^2)), s the size of the better
    one, exceeds `SAME_PERSON`.
    """
    order = np.argsort(-looks.score, kind="stable")
    px = looks.joints_px[order]
    return order[firsts(likeness(px[:, None], px[None], sizes(px)[:, None]) > SAME_PERSON)]


def firsts(same: Mask) -> list[int]:
    """Rows, in their order, that are not the `same` [P, P] as one that was kept before them."""
    kept: list[int] = []
    for row in range(len(same)):
        if not same[kept, row].any():
            kept.append(row)
    return kept


def astray(before_px: Floats, after_px: Floats, looked: Indices) -> Indices:
    """Those of the rows `looked` whose deeper look shows somebody else.

    Where two people have one pose after it and had two before, the one who moved further to get there was not meant:
    the look took the person in front for the one behind.

    Args:
        before_px: [P, 25, 2] everybody before the deeper look.
        after_px: [P, 25, 2] and after it; alike but for the rows `looked`.
    """
    px, stayed = after_px.copy(), likeness(before_px, after_px, sizes(before_px))
    were_two = ~_same(before_px)
    may_go, gone = set(map(int, looked)), []
    while may_go:
        met = np.argwhere(np.triu(_same(px) & were_two, 1)).tolist()
        movers = {min(pair, key=lambda row: (row not in may_go, stayed[row])) for pair in met}
        if not movers & may_go:
            break
        worst = min(movers & may_go, key=lambda row: stayed[row])
        px[worst] = before_px[worst]
        may_go.remove(worst)
        gone.append(worst)
    return np.array(sorted(gone), np.intp)


def _same(px: Floats) -> Mask:
    """[P, P] which of the poses [P, 25, 2] are of one person, by the size of the larger."""
    size = sizes(px)
    return np.asarray(likeness(px[:, None], px[None], np.maximum(size[:, None], size[None])) > SAME_PERSON)


def likeness(one_px: Floats, other_px: Floats, size_px: Floats) -> Floats:
    """[...] object keypoint similarity of poses [..., 25, 2] of a size [...], with one constant for all joints."""
    d2 = np.square(one_px - other_px).sum(-1)
    alike: Floats = np.exp(-d2 / (2 * np.square(0.1 * size_px[..., None]))).mean(-1)
    return alike


def sizes(joints_px: Floats) -> Floats:
    """[P] root of the area of the boxes, at least 4 pixels."""
    box = boxes(joints_px)
    return np.maximum(np.sqrt((box[:, 2] - box[:, 0]) * (box[:, 3] - box[:, 1])), 4.0)


def heights(joints_px: Floats) -> Floats:
    """[P] of the boxes, at least 4 pixels."""
    box = boxes(joints_px)
    return np.maximum(box[:, 3] - box[:, 1], 4.0)


def moved(before_px: Floats, after_px: Floats) -> Floats:
    """[P] mean distance between the joints of two poses [P, 25, 2], in sizes of the first."""
    away: Floats = np.linalg.norm(after_px - before_px, axis=-1).mean(1) / sizes(before_px)
    return away


def overlaps(joints_px: Floats, by: Mask | None = None) -> Floats:
    """[P] largest share of each box that one other box covers: one of the people `by` [P], if given."""
    box = boxes(joints_px)
    low, high = np.maximum(box[:, None, :2], box[None, :, :2]), np.minimum(box[:, None, 2:], box[None, :, 2:])
    shared = np.clip(high - low, 0, None).prod(-1)
    np.fill_diagonal(shared, 0)
    if by is not None:
        shared[:, ~by] = 0
    area = np.maximum((box[:, 2:] - box[:, :2]).prod(-1), 1.0)
    largest: Floats = (shared / area[:, None]).max(1, initial=0.0)
    return largest


def outside(joints_px: Floats, width: int, height: int) -> Floats:
    """[P] share of the joints that lie outside the frame."""
    out = (joints_px < 0).any(-1) | (joints_px[..., 0] >= width) | (joints_px[..., 1] >= height)
    share: Floats = out.mean(1)
    return share


def shifted(looks: Looks, x_px: float, y_px: float) -> Looks:
    """Looks into a region of a frame, in the frame's pixels."""
    return replace(looks, joints_px=looks.joints_px + [x_px, y_px])
