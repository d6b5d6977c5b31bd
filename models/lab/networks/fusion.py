"""Fusion of several 2D candidates of each joint: the place that most of the weight supports."""

import torch
from torch import Tensor

_BANDWIDTH = 0.2
"""Distance at which one candidate supports another by exp(-1/2), in sizes of the person."""


def fuse_keypoints(
    candidates_px: Tensor, weights: Tensor, size_px: Tensor
) -> tuple[Tensor, Tensor]:
    """Of each joint the place [M, J, 2] and its support [M, J], from 0 to the sum of the weights.

    A candidate's support is the weight of all candidates near it. The best supported one wins, and the place is the
    weighted mean of its supporters. An outlier counts nothing, however large its score, unless it is alone.

    Args:
        candidates_px: [M, J, K, 2]
        weights: [M, J, K] not negative, one of each joint above 0.
        size_px: [M] of the people.
    """
    offsets = candidates_px.unsqueeze(3) - candidates_px.unsqueeze(2)
    squared = offsets.square().sum(-1)  # [M, J, K, K]
    bandwidth_px = _BANDWIDTH * size_px[:, None, None, None]
    kernel = torch.exp(-squared / (2 * bandwidth_px**2))
    votes = kernel * weights.unsqueeze(2)  # [M, J, K candidates, K voters]
    support, best = votes.sum(3).max(2)  # [M, J]
    winner = best[..., None, None].expand(-1, -1, 1, votes.shape[3])
    share = torch.gather(votes, 2, winner).squeeze(2)  # [M, J, K]
    total = share.sum(2, keepdim=True).clamp_min(1e-6)
    place = (candidates_px * share.unsqueeze(3)).sum(2) / total
    return place, support
