"""Several opinions on where each joint is, made one: the place that most of them support."""

import torch
from torch import Tensor

_NEAR = 0.2
"""Distance at which one opinion supports another by exp(-1/2), in sizes of the person."""


def agreed(opinions_px: Tensor, weights: Tensor, size_px: Tensor) -> tuple[Tensor, Tensor]:
    """Of each joint the place [M, J, 2] and its support [M, J], from 0 to the sum of the weights.

    Each opinion is supported by all that lie near it, by their weights; the best supported one wins, and the place is
    the mean of its supporters. So one that is far off counts nothing, however sure it is of itself, unless it stands
    alone.

    Args:
        opinions_px: [M, J, K, 2]
        weights: [M, J, K] not negative, one of each joint above 0.
        size_px: [M] of the people.
    """
    apart = (opinions_px.unsqueeze(3) - opinions_px.unsqueeze(2)).square().sum(-1)  # [M, J, K, K]
    near = torch.exp(-apart / (2 * (_NEAR * size_px[:, None, None, None]) ** 2)) * weights.unsqueeze(2)
    support, best = near.sum(3).max(2)  # [M, J]
    winner = best[..., None, None].expand(-1, -1, 1, near.shape[3])
    share = torch.gather(near, 2, winner).squeeze(2)  # [M, J, K]
    place = (opinions_px * share.unsqueeze(3)).sum(2) / share.sum(2, keepdim=True).clamp_min(1e-6)
    return place, support
