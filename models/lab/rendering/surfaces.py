"""Procedural surfaces for rooms and props: tileable textures, each drawn from a generator."""

from collections.abc import Callable
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from posecascade.models.arrays import Floats, Image


def smooth_noise(rng: np.random.Generator, size: int, cells: int) -> Floats:
    """[size, size] tileable value noise in 0..1, `cells` bumps a side."""
    grid = rng.random((cells, cells))
    at = np.linspace(0, cells, size, endpoint=False)
    cell = at.astype(int)
    share = at - cell
    share = share * share * (3 - 2 * share)
    rows = grid[cell] * (1 - share)[:, None] + grid[(cell + 1) % cells] * share[:, None]
    return rows[:, cell] * (1 - share) + rows[:, (cell + 1) % cells] * share


def fractal_noise(
    rng: np.random.Generator, size: int, cells: int = 4, octaves: int = 5
) -> Floats:
    """[size, size] sum of octaves of value noise, stretched to 0..1."""
    total = sum(
        smooth_noise(rng, size, cells * 2**octave) / 2**octave
        for octave in range(octaves)
    )
    return (total - total.min()) / (total.max() - total.min())


class Canvas(NamedTuple):
    """What a surface is painted on, and with."""

    rng: np.random.Generator
    x: Floats
    """[S, S] 0..1 to the right."""
    y: Floats
    main_rgb: Floats
    second_rgb: Floats
    coarse: Floats
    """[S, S] fractal noise, 0..1."""
    fine: Floats

    @property
    def size(self) -> int:
        return len(self.x)

    def stripes(
        self, across: Floats, count: int | np.signedinteger[Any], share: float
    ) -> NDArray[np.bool_]:
        return (across * count) % 1 < share


def _planks(canvas: Canvas) -> Floats:
    rng = canvas.rng
    size = canvas.size
    count = rng.integers(4, 9)
    row = np.floor(canvas.x * count)
    tone = rng.random(count)[row.astype(int) % count]
    grain = smooth_noise(rng, size, 32)[
        (np.arange(size)[:, None] // 12) % size, np.arange(size)
    ]
    wood = 0.55 * tone + 0.3 * grain + 0.15 * canvas.coarse
    image = np.array([0.55, 0.38, 0.24]) * (0.5 + 0.9 * wood[..., None])
    image[canvas.stripes(canvas.x, count, 0.015)] *= 0.45
    return image


def _masonry(canvas: Canvas, *, flat: int) -> Floats:
    """Tiles, or bricks: twice as flat, every other row moved by half a brick."""
    count = canvas.rng.integers(3, 8)
    row = np.floor(canvas.y * count * flat)
    along = canvas.x + (row % 2) * 0.5 / count if flat > 1 else canvas.x
    joint = canvas.stripes(along, count, 0.05) | canvas.stripes(
        canvas.y, count * flat, 0.07
    )
    tones = np.random.default_rng(int(canvas.rng.integers(1 << 30))).random((64, 64))
    tone = tones[row.astype(int) % 64, np.floor(along * count).astype(int) % 64]
    image = canvas.main_rgb * (0.75 + 0.3 * tone + 0.2 * (canvas.fine - 0.5))[..., None]
    image[joint] = canvas.second_rgb * 0.7
    return image


def _tiles(canvas: Canvas) -> Floats:
    return _masonry(canvas, flat=1)


def _bricks(canvas: Canvas) -> Floats:
    return _masonry(canvas, flat=2)


def _stripes(canvas: Canvas) -> Floats:
    count = canvas.rng.integers(4, 24)
    on = canvas.stripes(canvas.x, count, canvas.rng.uniform(0.2, 0.6))
    return np.where(on[..., None], canvas.main_rgb, canvas.second_rgb) * (
        0.9 + 0.2 * canvas.fine[..., None]
    )


def _plaid(canvas: Canvas) -> Floats:
    count = canvas.rng.integers(3, 10)
    across: Floats = 0.5 * canvas.stripes(canvas.x, count, 0.4)
    down: Floats = 0.5 * canvas.stripes(canvas.y, count, 0.4)
    share = np.add(across, down)[..., None]
    return canvas.main_rgb * (1 - share) + canvas.second_rgb * share


def _dots(canvas: Canvas) -> Floats:
    count = canvas.rng.integers(5, 16)
    on = (canvas.x * count % 1 - 0.5) ** 2 + (canvas.y * count % 1 - 0.5) ** 2 < 0.06
    return np.where(on[..., None], canvas.main_rgb, canvas.second_rgb)


def _grass(canvas: Canvas) -> Floats:
    blades = np.array([0.22, 0.33, 0.12]) * (0.5 + 0.9 * canvas.fine[..., None])
    return blades + np.array([0.1, 0.08, 0.02]) * canvas.coarse[..., None]


def _asphalt(canvas: Canvas) -> Floats:
    tone = 0.25 + 0.25 * canvas.rng.random()
    grit = canvas.rng.random((canvas.size, canvas.size)) - 0.5
    return (
        tone * (0.8 + 0.3 * grit + 0.3 * (canvas.coarse - 0.5))[..., None] * np.ones(3)
    )


def _shelf(canvas: Canvas) -> Floats:
    rng = canvas.rng
    count = canvas.rng.integers(3, 6)
    row = np.floor(canvas.y * count).astype(int)
    book = np.floor(canvas.x * 28 + row * 3.7).astype(int)
    spines = rng.uniform(0.1, 0.9, (97, 3))[(book * 31 + row * 17) % 97]
    image = spines * (0.75 + 0.25 * ((canvas.x * 28 + row * 3.7) % 1))[..., None]
    image[canvas.stripes(canvas.y, count, rng.uniform(0.1, 0.3))] *= 0.25
    return image


def _plain(canvas: Canvas) -> Floats:
    return (
        canvas.main_rgb
        * (0.85 + 0.3 * (canvas.coarse - 0.5) + 0.2 * (canvas.fine - 0.5))[..., None]
    )


PAINTERS: Final[dict[str, Callable[[Canvas], Floats]]] = {
    "planks": _planks,
    "tiles": _tiles,
    "bricks": _bricks,
    "stripes": _stripes,
    "plaid": _plaid,
    "dots": _dots,
    "grass": _grass,
    "asphalt": _asphalt,
    "shelf": _shelf,
    "plaster": _plain,
    "carpet": _plain,
}


def surface(rng: np.random.Generator, kind: str, size: int) -> Image:
    """[size, size, 3] one tileable RGB texture of a kind in `PAINTERS`."""
    y, x = np.mgrid[0:size, 0:size] / size
    main = (
        rng.uniform(0.15, 0.85)
        * np.array([1.05, 1, 0.93])
        * (1 + rng.normal(0, 0.09, 3))
    )
    second = np.clip(main * rng.uniform(0.5, 1.4) + rng.normal(0, 0.08, 3), 0.05, 0.95)
    canvas = Canvas(
        rng,
        x,
        y,
        main,
        second,
        fractal_noise(rng, size),
        fractal_noise(rng, size, 16, 4),
    )
    return (np.clip(PAINTERS[kind](canvas), 0, 1) * 255).astype(np.uint8)
