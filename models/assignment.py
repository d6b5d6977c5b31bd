"""Optimal one-to-one assignment: who is whom, between frames or between predictions and truth.

Kept in NumPy because SciPy is no dependency of the serving path; the problems here are at most a few dozen wide.
"""

import numpy as np

from posecascade.models.arrays import Floats, Indices


def assigned(cost: Floats) -> tuple[Indices, Indices]:
    """The pairs (row, column) of least total cost, min(R, C) of them, rows ascending.

    Args:
        cost: [R, C] finite.

    Source: Jonker & Volgenant 1987 (shortest augmenting paths), in the O(n^3) form of Crouse 2016, section II.
    """
    cost = np.asarray(cost, dtype=np.float64)
    if cost.ndim != 2 or not np.isfinite(cost).all():
        bad = int((~np.isfinite(cost)).sum())
        raise ValueError(
            f"want a finite cost [R, C], got shape {cost.shape} with {bad} not finite"
        )
    if cost.shape[0] > cost.shape[1]:
        rows = _column_of_each_row(cost.T)
        order = np.argsort(rows)
        return rows[order], order
    columns = _column_of_each_row(cost)
    return np.arange(len(columns)), columns


def matched(cost: Floats, limit: float) -> tuple[Indices, Indices]:
    """Like `assigned`, but a pair that costs `limit` or more stays apart, and NaN or infinity forbids a pair.

    Minimises the cost of the pairs plus `limit` for each of the min(R, C) that finds no partner: clipping at the limit
    makes "apart" a pair like any other, so the answer stays exact.
    """
    bounded = np.where(np.isfinite(cost), np.minimum(cost, limit), limit)
    rows, columns = assigned(bounded)
    near = bounded[rows, columns] < limit
    return rows[near], columns[near]


def _column_of_each_row(cost: Floats) -> Indices:
    """[R] for a cost [R, C] with R <= C."""
    rows, columns = cost.shape
    row_price = np.zeros(rows)
    column_price = np.zeros(columns)
    row_of = np.full(columns, -1)
    column_of = np.full(rows, -1)
    for row in range(rows):
        distance, came_from, sink = _shortest_path(
            cost, row, row_price, column_price, row_of
        )
        reached = distance < distance[sink]  # the columns whose rows change their price
        owners = row_of[reached]
        row_price[row] += distance[sink]
        row_price[owners] += distance[sink] - distance[reached]
        column_price[reached] -= distance[sink] - distance[reached]
        while True:
            owner = came_from[sink]
            row_of[sink] = owner
            column_of[owner], sink = sink, column_of[owner]
            if owner == row:
                break
    return column_of


def _shortest_path(
    cost: Floats,
    row: int,
    row_price: Floats,
    column_price: Floats,
    row_of: Indices,
) -> tuple[Floats, Indices, int]:
    """Dijkstra from a free row over reduced costs: distances and predecessors [C], and the free column reached."""
    distance = np.full(cost.shape[1], np.inf)
    came_from = np.full(cost.shape[1], -1)
    closed = np.zeros(cost.shape[1], dtype=bool)
    so_far = 0.0
    while True:
        through = so_far + cost[row] - row_price[row] - column_price
        shorter = ~closed & (through < distance)
        distance[shorter], came_from[shorter] = through[shorter], row
        sink = int(np.argmin(np.where(closed, np.inf, distance)))
        if row_of[sink] < 0:
            return distance, came_from, sink
        closed[sink], so_far, row = True, distance[sink], row_of[sink]
