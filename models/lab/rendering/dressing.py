"""Draws what people look like: clothes and their colours, skin, hair, eyes."""

from typing import Final

import numpy as np

from posecascade.models.arrays import Floats, Indices
from posecascade.models.lab.rendering.scene import Appearance, Dye
from posecascade.models.lab.rendering.wardrobe import BALD, Choices, Wardrobe

_SKIN: Final = np.array(
    [
        [0.90, 0.72, 0.62],
        [0.84, 0.64, 0.52],
        [0.78, 0.56, 0.42],
        [0.66, 0.45, 0.32],
        [0.50, 0.33, 0.23],
        [0.36, 0.23, 0.16],
        [0.25, 0.16, 0.11],
    ]
)
_HAIR: Final = np.array(
    [
        [0.10, 0.08, 0.07],
        [0.16, 0.12, 0.09],
        [0.29, 0.20, 0.14],
        [0.42, 0.30, 0.20],
        [0.62, 0.50, 0.34],
        [0.38, 0.20, 0.13],
        [0.60, 0.59, 0.57],
        [0.82, 0.81, 0.80],
    ]
)
_HAIR_SHARE: Final = (0.25, 0.2, 0.16, 0.12, 0.1, 0.06, 0.07, 0.04)
_GREYS: Final = (0.03, 0.08, 0.25, 0.6, 0.85)
_DENIM: Final = np.array([0.06, 0.09, 0.2])
_PATTERNS: Final = (0, 0, 0, 0, 0, 1, 2, 3)
_IRIS: Final = (0.05, 0.12, 0.25)


def dressed(
    rng: np.random.Generator,
    women: Indices,
    shape: Indices,
    wardrobe: Wardrobe,
    choices: Choices,
) -> Appearance:
    """Appearance of P people; `women` [P] is 1 for the female mesh and wardrobe, `shape` [P] their bodies.

    The generator is asked in this order: equal seeds give equal people only while it stays.
    """
    skin = _skin_rgb(rng, len(women))
    hair_rgb = _hair_rgb(rng, len(women))
    curl = rng.uniform(0.05, 0.9, (len(women), 2)).astype(np.float32)
    suit = _picked(rng, choices.suits, women)
    shoes = rng.choice(choices.shoes, len(women))
    hair = _picked(rng, choices.hair, women)
    brow = rng.choice(choices.brows, len(women))
    top, bottom, shoe = (_dye(rng, len(women)) for _ in range(3))
    return Appearance(
        body=np.where(women == 1, wardrobe.women, wardrobe.men),
        suit=suit,
        shoes=shoes,
        hair=hair,
        brow=brow,
        skin_rgb=skin,
        hair_rgb=hair_rgb,
        iris=rng.choice(_IRIS, len(women)),
        shaved=(hair == BALD) & (shape % 2 == 1),
        gloss=0.05 + 0.06 * (shape % 5 == 0),
        curl_rad=curl,
        top=top,
        bottom=bottom,
        shoe=shoe,
    )


def _skin_rgb(rng: np.random.Generator, count: int) -> Floats:
    tone = rng.uniform(0, 6, count)
    lower = tone.astype(int)
    share = (tone - tone.astype(int))[:, None]
    return _SKIN[lower] * (1 - share) + _SKIN[np.minimum(lower + 1, 6)] * share


def _hair_rgb(rng: np.random.Generator, count: int) -> Floats:
    shown = _HAIR[rng.choice(len(_HAIR), count, p=_HAIR_SHARE)] * rng.uniform(
        0.8, 1.2, (count, 1)
    )
    return np.clip(shown, 0.02, 0.85) ** 2.2


def _picked(
    rng: np.random.Generator, pieces: tuple[list[int], list[int]], women: Indices
) -> Indices:
    number = rng.integers(0, 1 << 16, len(women))
    return np.array(
        [
            pieces[sex][n % len(pieces[sex])]
            for sex, n in zip(women, number, strict=True)
        ],
        int,
    )


def _dye(rng: np.random.Generator, count: int) -> Dye:
    """Dull colours, a third of them greys, a fifth of them denim; a third keep the garment's own."""
    tint = rng.random((count, 3)) ** 1.6
    tint = tint * 0.55 + tint.mean(1, keepdims=True) * 0.45
    grey = rng.random((count, 1)) < 0.35
    tint = np.where(
        grey, rng.choice(_GREYS, (count, 1)) + rng.normal(0, 0.015, (count, 3)), tint
    )
    denim = rng.random((count, 1)) < 0.2
    tint = np.where(denim, _DENIM * rng.uniform(0.6, 2.2, (count, 1)), tint)
    amount = rng.random((count, 1))[:, 0] > 0.35
    pattern = rng.choice(_PATTERNS, (count, 1))[:, 0]
    frequency = rng.uniform(5, 40, (count, 1))[:, 0]
    second = np.roll(
        rng.random((count, 3)) * 0.9, -1, axis=1
    )  # rolled: pictures of a seed stay what they were
    return Dye(
        np.clip(tint, 0.01, 0.9),
        amount.astype(float),
        pattern.astype(float),
        frequency,
        second,
    )
