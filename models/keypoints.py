"""Geometry of 2D keypoints: boxes, object keypoint similarity, non-maximum suppression, occlusion, truncation."""

from typing import Final

import numpy as np

from posecascade.models.arrays import Floats, Indices, Mask

BOX_MARGIN: Final = 0.06
"""Of a box's longer side, added around the joints for flesh and clothes."""
MIN_SIZE_PX: Final = 4.0
"""Lower bound of sizes, so that they can be divided by."""
OKS_K: Final = 0.1
"""Falloff of the object keypoint similarity, in sizes of the body: one constant for all joints."""
NMS_OKS: Final = 0.5
"""Object keypoint similarity above which two poses are of one person."""


def boxes(joints_px: Floats) -> Floats:
    """[P, 4] x0, y0, x1, y1 around joints [P, 25, 2], with a margin."""
    low = joints_px.min(1)
    high = joints_px.max(1)
    margin = BOX_MARGIN * (high - low).max(1, keepdims=True)
    return np.concatenate([low - margin, high + margin], 1)


def boxes_in_frame(joints_px: Floats, width: int, height: int) -> Floats:
    """[P, 4] left, top, width, height of the part of the boxes that lies in the frame."""
    box = np.clip(boxes(joints_px), 0, [width, height, width, height])
    return np.concatenate([box[:, :2], box[:, 2:] - box[:, :2]], 1)


def box_scales(joints_px: Floats) -> Floats:
    """[P] square root of the area of the boxes, at least 4 pixels."""
    box = boxes(joints_px)
    area = (box[:, 2] - box[:, 0]) * (box[:, 3] - box[:, 1])
    return np.maximum(np.sqrt(area), MIN_SIZE_PX)


def box_heights(joints_px: Floats) -> Floats:
    """[P] of the boxes, at least 4 pixels."""
    box = boxes(joints_px)
    return np.maximum(box[:, 3] - box[:, 1], MIN_SIZE_PX)


def box_occlusion(joints_px: Floats, by: Mask | None = None) -> Floats:
    """[P] largest share of each box that one other box covers.

    Args:
        joints_px: [P, 25, 2].
        by: [P] whose boxes count; None: everybody's.
    """
    box = boxes(joints_px)
    low = np.maximum(box[:, None, :2], box[None, :, :2])
    high = np.minimum(box[:, None, 2:], box[None, :, 2:])
    shared = np.clip(high - low, 0, None).prod(-1)
    np.fill_diagonal(shared, 0)
    if by is not None:
        shared[:, ~by] = 0
    area = np.maximum((box[:, 2:] - box[:, :2]).prod(-1), 1.0)
    largest: Floats = (shared / area[:, None]).max(1, initial=0.0)
    return largest


def truncation(joints_px: Floats, width: int, height: int) -> Floats:
    """[P] share of the joints that lie outside the frame."""
    is_before = (joints_px < 0).any(-1)
    is_right = joints_px[..., 0] >= width
    is_below = joints_px[..., 1] >= height
    share: Floats = (is_before | is_right | is_below).mean(1)
    return share


def pose_change(before_px: Floats, after_px: Floats) -> Floats:
    """[P] mean distance between the joints of two poses [P, 25, 2], in sizes of the first."""
    distance_px = np.linalg.norm(after_px - before_px, axis=-1).mean(1)
    change: Floats = distance_px / box_scales(before_px)
    return change


def oks(one_px: Floats, other_px: Floats, size_px: Floats) -> Floats:
    """[...] object keypoint similarity of poses [..., 25, 2] of sizes [...].

    The mean over the joints of exp(-d^2 / (2 (k s)^2)), as in the COCO keypoint evaluation, with one k for all joints.
    """
    squared_px = np.square(one_px - other_px).sum(-1)
    spread_px = OKS_K * size_px[..., None]
    similarity: Floats = np.exp(-squared_px / (2 * np.square(spread_px))).mean(-1)
    return similarity


def pairwise_oks(joints_px: Floats) -> Floats:
    """[P, P] similarity of all pairs, by the size of the larger of the two."""
    size = box_scales(joints_px)
    larger = np.maximum(size[:, None], size[None])
    return oks(joints_px[:, None], joints_px[None], larger)


def nms(joints_px: Floats, scores: Floats) -> Indices:
    """Rows of distinct people, best score first: duplicates of a better pose [P, 25, 2] are dropped.

    Poses are duplicates when their similarity, by the size of the better one, exceeds `NMS_OKS`.
    """
    order = np.argsort(-scores, kind="stable")
    px = joints_px[order]
    similarity = oks(px[:, None], px[None], box_scales(px)[:, None])
    return order[greedy_nms(similarity > NMS_OKS)]


def greedy_nms(is_duplicate: Mask) -> list[int]:
    """Rows of [P, P], in their order, that duplicate no row before them that stayed."""
    stayed: list[int] = []
    for row in range(len(is_duplicate)):
        if not is_duplicate[stayed, row].any():
            stayed.append(row)
    return stayed


def identity_switches(before_px: Floats, after_px: Floats, refined: Indices) -> Indices:
    """Those of the rows `refined` whose new pose landed on a neighbour.

    Two people who have one pose now and had two before cannot both be right. The one who moved further was not meant:
    the stage took the person in front for the one behind.

    Args:
        before_px: [P, 25, 2] everybody before the stage.
        after_px: [P, 25, 2] and after it; they differ in the rows `refined` alone.
        refined: rows that the stage ran on.
    """
    px = after_px.copy()
    stability = oks(before_px, after_px, box_scales(before_px))
    were_two = ~(pairwise_oks(before_px) > NMS_OKS)  # also where one is not a number
    revertible = set(map(int, refined))
    switched: list[int] = []
    while revertible:
        are_one = pairwise_oks(px) > NMS_OKS
        collisions = np.argwhere(np.triu(are_one & were_two, 1)).tolist()
        movers = {_mover(pair, revertible, stability) for pair in collisions}
        candidates = movers & revertible
        if not candidates:
            break
        worst = min(candidates, key=lambda row: stability[row])
        px[worst] = before_px[worst]
        revertible.remove(worst)
        switched.append(worst)
    return np.array(sorted(switched), np.intp)


def _mover(pair: list[int], revertible: set[int], stability: Floats) -> int:
    """Of two who collide the one who moved further, among those who can be reverted."""
    return min(pair, key=lambda row: (row not in revertible, stability[row]))
