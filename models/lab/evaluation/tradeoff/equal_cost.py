"""What could be had for the same time without looking at people, and with knowing all of their errors."""

from typing import Final

import numpy as np

from posecascade.models.arrays import Floats, Indices
from posecascade.models.lab.scoring.recorded import ROUTES

TURNS: Final = 16
_GOLDEN: Final = (5**0.5 - 1) / 2
"""Multiples of it fill 0..1 evenly, however many there are (Weyl)."""


def by_chance(error: Floats, routes: Indices) -> Floats:
    """[N] each person's expected error where the routes [N] are dealt out blindly: the mean of every shuffle."""
    return error @ (np.bincount(routes, minlength=len(ROUTES)) / len(routes))


def in_turn(error: Floats, routes: Indices) -> Floats:
    """[N] errors where the routes [N] are dealt in turn: as many of each, spread evenly as people come; the mean over
    `TURNS` people to begin with."""
    everyone = np.arange(len(routes))
    dealt = np.sort(routes)
    turns = [(everyone * _GOLDEN + begin / TURNS) % 1.0 for begin in range(TURNS)]
    return np.asarray(
        np.mean(
            [error[everyone, dealt[np.argsort(np.argsort(turn))]] for turn in turns],
            axis=0,
        )
    )


def best_mix(error: Floats, cost: Floats, spend: float) -> Floats:
    """[N] expected errors under the best blind mix of routes at a mean cost: a coin between two of them.

    The mix is chosen on these very people, which no rule could do: a hard opponent.

    Args:
        error: [N, R]
        cost: [R] of each route.
        spend: mean cost that may be spent.
    """
    mean = error.mean(0)
    best = np.zeros(len(cost))
    least = np.inf
    for one in np.flatnonzero(cost <= spend + 1e-9):
        for other in range(len(cost)):
            share = (
                0.0
                if cost[other] <= cost[one]
                else min((spend - cost[one]) / (cost[other] - cost[one]), 1.0)
            )
            left = (1 - share) * mean[one] + share * mean[other]
            if left < least:
                least = left
                best = np.zeros(len(cost))
                best[one] += 1 - share
                best[other] += share
    return error @ best


def knowing_all(error: Floats, cost: Floats, spend: float) -> Floats:
    """[N] errors of the best choice of routes at a mean cost, errors being known: no rule can do better.

    By a price (Lagrange's) for the cost, and a coin between the two choices next to the right one.
    """
    everyone = np.arange(len(error))

    def choice(price: float) -> Indices:
        return np.asarray((error + price * cost).argmin(1))

    if cost[choice(0.0)].mean() <= spend:
        return np.asarray(error[everyone, choice(0.0)])
    cheap = 1e-9
    dear = 1e9
    for _ in range(80):
        middle = float(np.sqrt(cheap * dear))
        cheap, dear = (
            (middle, dear) if cost[choice(middle)].mean() > spend else (cheap, middle)
        )
    low = choice(dear)
    high = choice(cheap)
    between = cost[high].mean() - cost[low].mean()
    share = (spend - cost[low].mean()) / between if between > 0 else 0.0
    return np.asarray(
        (1 - share) * error[everyone, low] + share * error[everyone, high]
    )
