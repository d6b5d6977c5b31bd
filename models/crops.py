"""Network inputs: the frame fitted to an input size, and crops of people."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from posecascade.models.arrays import Floats, Image


@dataclass(frozen=True, slots=True)
class Window:
    """A region of the frame and how it is scaled: network pixels = (frame pixels - origin) x scale."""

    x_px: float
    y_px: float
    scale: float

    def to_crop(self, xy_px: Floats) -> Floats:
        """Frame pixels [..., 2] as network pixels."""
        return (xy_px - [self.x_px, self.y_px]) * self.scale

    def to_frame(self, xy_px: Floats) -> Floats:
        """Network pixels [..., 2] as frame pixels."""
        return xy_px / self.scale + [self.x_px, self.y_px]


def best_size(
    width: int, height: int, sizes_hw: Sequence[tuple[int, int]]
) -> tuple[int, int]:
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


def person_window(
    joints_px: Floats, width: int, height: int, size_hw: tuple[int, int]
) -> Window:
    """The window around a person, for a crop of `size_hw` pixels.

    Args:
        joints_px: [25, 2] in the frame. Joints far outside of it do not stretch the window: there is no picture there.
        width: of the frame.
        height: of the frame.
        size_hw: of the crop.
    """
    edge = 0.1 * max(width, height)
    inside = np.clip(joints_px, -edge, np.array([width, height]) + edge)
    low = inside.min(0)
    high = inside.max(0)
    size_wh = np.array(size_hw[::-1])
    extent = np.maximum(high - low, 1e-6)
    scale_to_fit = float((size_wh / extent).min()) / MARGIN
    scale = min(scale_to_fit, max(size_hw) / SMALLEST_PX)
    corner = (low + high) / 2 - size_wh / scale / 2
    return Window(float(corner[0]), float(corner[1]), scale)


def cut(image: Image, window: Window, size_hw: tuple[int, int]) -> Image:
    """The window's picture [h, w, 3]; black where it leaves the frame."""
    canvas = np.zeros((*size_hw, 3), np.uint8)
    crop_height, crop_width = size_hw
    height, width = image.shape[:2]
    x0, x1 = _source_range(window.x_px, crop_width / window.scale, width)
    y0, y1 = _source_range(window.y_px, crop_height / window.scale, height)
    if x1 <= x0 or y1 <= y0:
        return canvas
    left = round((x0 - window.x_px) * window.scale)
    right = round((x1 - window.x_px) * window.scale)
    top = round((y0 - window.y_px) * window.scale)
    bottom = round((y1 - window.y_px) * window.scale)
    inner = resized(image[y0:y1, x0:x1], (max(1, right - left), max(1, bottom - top)))
    rows = slice(max(0, top), min(crop_height, bottom))
    columns = slice(max(0, left), min(crop_width, right))
    canvas[rows, columns] = inner[
        rows.start - top : rows.stop - top, columns.start - left : columns.stop - left
    ]
    return canvas


def _source_range(start: float, length: float, limit: int) -> tuple[int, int]:
    """Whole pixels of the frame, along one axis, that a window covers."""
    first = max(0, int(np.floor(start)))
    last = min(limit, int(np.ceil(start + length)))
    return first, last


def resized(image: Image, size_wh: tuple[int, int]) -> Image:
    """The picture at another size, free of aliasing.

    Halved by averaging while it is more than twice too large, then bilinear: as good as `INTER_AREA`, whose general
    case costs ten times as much.
    """
    while image.shape[1] >= 2 * size_wh[0] and image.shape[0] >= 2 * size_wh[1]:
        even = image[: image.shape[0] // 2 * 2, : image.shape[1] // 2 * 2]
        image = np.asarray(
            cv2.resize(
                even,
                (even.shape[1] // 2, even.shape[0] // 2),
                interpolation=cv2.INTER_AREA,
            ),
            np.uint8,
        )
    return np.asarray(
        cv2.resize(image, size_wh, interpolation=cv2.INTER_LINEAR), np.uint8
    )
