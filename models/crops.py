"""What the networks are shown: the frame fitted to an input size, and one person's window cut out and scaled."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from models.arrays import Floats, Image


@dataclass(frozen=True, slots=True)
class Window:
    """A region of the frame and how it is scaled: network pixels = (frame pixels - origin) x scale."""

    x_px: float
    y_px: float
    scale: float

    def enter(self, xy_px: Floats) -> Floats:
        """Frame pixels [..., 2] as network pixels."""
        return (xy_px - [self.x_px, self.y_px]) * self.scale

    def leave(self, xy_px: Floats) -> Floats:
        """Network pixels [..., 2] as frame pixels."""
        return xy_px / self.scale + [self.x_px, self.y_px]


def best_size(width: int, height: int, sizes_hw: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """Of the input sizes the one in which a picture of this shape comes out largest."""
    return max(sizes_hw, key=lambda hw: min(hw[0] / height, hw[1] / width))


def fitted(image: Image, size_hw: tuple[int, int]) -> tuple[Image, Window]:
    """The picture scaled into the top left corner of a black canvas [h, w, 3]."""
    height, width = image.shape[:2]
    scale = min(size_hw[0] / height, size_hw[1] / width)
    inner = max(1, round(width * scale)), max(1, round(height * scale))
    canvas = np.zeros((*size_hw, 3), np.uint8)
    canvas[: inner[1], : inner[0]] = resized(image, inner)
    return canvas, Window(0.0, 0.0, scale)


MARGIN = 1.25
"""A person's window over the box round their joints, along the side that fills it."""

SMALLEST_PX = 16.0
"""The longer side of a window is never shorter: below it there is nothing to see."""


def person_window(joints_px: Floats, width: int, height: int, size_hw: tuple[int, int]) -> Window:
    """The window round a person, for a crop of `size_hw` pixels; as wide as people mostly are, it is mostly upright.

    Joints [25, 2] that lie far outside the frame do not stretch it: there is no picture there.
    """
    edge = 0.1 * max(width, height)
    inside = np.clip(joints_px, -edge, np.array([width, height]) + edge)
    low, high = inside.min(0), inside.max(0)
    size_wh = np.array(size_hw[::-1])
    scale = min(float((size_wh / np.maximum(high - low, 1e-6)).min()) / MARGIN, max(size_hw) / SMALLEST_PX)
    corner = (low + high) / 2 - size_wh / scale / 2
    return Window(float(corner[0]), float(corner[1]), scale)


def cut(image: Image, window: Window, size_hw: tuple[int, int]) -> Image:
    """The window's picture [h, w, 3]; black where it leaves the frame."""
    height, width = image.shape[:2]
    tall, wide = size_hw[0] / window.scale, size_hw[1] / window.scale
    x0, y0 = max(0, int(np.floor(window.x_px))), max(0, int(np.floor(window.y_px)))
    x1, y1 = min(width, int(np.ceil(window.x_px + wide))), min(height, int(np.ceil(window.y_px + tall)))
    canvas = np.zeros((*size_hw, 3), np.uint8)
    if x1 <= x0 or y1 <= y0:
        return canvas
    left, top = round((x0 - window.x_px) * window.scale), round((y0 - window.y_px) * window.scale)
    right, bottom = round((x1 - window.x_px) * window.scale), round((y1 - window.y_px) * window.scale)
    inner = resized(image[y0:y1, x0:x1], (max(1, right - left), max(1, bottom - top)))
    into = (slice(max(0, top), min(size_hw[0], bottom)), slice(max(0, left), min(size_hw[1], right)))
    canvas[into] = inner[into[0].start - top : into[0].stop - top, into[1].start - left : into[1].stop - left]
    return canvas


def resized(image: Image, size_wh: tuple[int, int]) -> Image:
    """The picture at another size, free of aliasing.

    Halved by averaging while it is more than twice too large, then bilinear: as good as `INTER_AREA`, whose general
    case costs ten times as much.
    """
    while image.shape[1] >= 2 * size_wh[0] and image.shape[0] >= 2 * size_wh[1]:
        even = image[: image.shape[0] // 2 * 2, : image.shape[1] // 2 * 2]
        image = np.asarray(
            cv2.resize(even, (even.shape[1] // 2, even.shape[0] // 2), interpolation=cv2.INTER_AREA), np.uint8
        )
    return np.asarray(cv2.resize(image, size_wh, interpolation=cv2.INTER_LINEAR), np.uint8)
