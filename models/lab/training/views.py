"""Views of training pictures as a stage is shown them, with the truth in their pixels.

The functions that serve fit the frame and cut a person's window; only the part of the frame is drawn at random.
"""

from dataclasses import dataclass, replace

import numpy as np

from posecascade.models.arrays import Floats, Image, Mask
from posecascade.models.camera import as_row, through_window
from posecascade.models.crops import Window, cut, fitted, person_window
from posecascade.models.lab.datasets.sample import PoseSample

COARSE_SIZES_HW = ((256, 448), (448, 256), (320, 320))
"""Input sizes of the coarse stage: of nearly equal cost, for wide, tall and square frames; multiples of 64 would not
divide 448 x 256 any better, 32 is what the pyramid needs."""


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """One network input with the truth in its pixels."""

    image_bgr: Image
    intrinsics: Floats
    """[4] fx, fy, cx, cy."""
    window: Window
    true_px: Floats
    """[P, 25, 2]"""
    inside: Mask
    """[P, 25] inside the picture (and inside the part of the frame that the network is shown)."""
    size_px: Floats
    """[P] square root of the area of the box round each person."""


def frame_view(
    sample: PoseSample,
    rng: np.random.Generator,
    sizes_hw: tuple[tuple[int, int], ...] = COARSE_SIZES_HW,
) -> View:
    """A random part of the frame, or all of it, fitted to a random input size."""
    height, width = sample.image_bgr.shape[:2]
    size_hw = sizes_hw[rng.integers(len(sizes_hw))]
    aspect = size_hw[1] / size_hw[0]
    whole = min(width, height * aspect)
    wide = whole * (1.0 if rng.random() < 0.4 else rng.uniform(0.45, 1.0))
    tall = wide / aspect
    x0 = int(rng.uniform(0, width - wide))
    y0 = int(rng.uniform(0, height - tall))
    rows = slice(y0, y0 + max(16, round(tall)))
    columns = slice(x0, x0 + max(16, round(wide)))
    part = sample.image_bgr[rows, columns]
    canvas, fit = fitted(part, size_hw)
    window = replace(fit, x_px=float(x0), y_px=float(y0))
    shown_xyxy = (x0, y0, x0 + part.shape[1], y0 + part.shape[0])
    return _view(sample, canvas, window, shown_xyxy)


def person_view(
    sample: PoseSample, joints_px: Floats, size_hw: tuple[int, int]
) -> View:
    """The window round a pose [25, 2] in frame pixels, as the cascade would cut it."""
    height, width = sample.image_bgr.shape[:2]
    window = person_window(joints_px, width, height, size_hw)
    return _view(
        sample, cut(sample.image_bgr, window, size_hw), window, (0, 0, width, height)
    )


def _view(
    sample: PoseSample,
    picture: Image,
    window: Window,
    shown_xyxy: tuple[int, int, int, int],
) -> View:
    x0, y0, x1, y1 = shown_xyxy
    px = sample.joints_px
    shown = ((px >= (x0, y0)) & (px < (x1, y1))).all(-1)
    view_px = window.to_crop(px)
    width_height = picture.shape[1], picture.shape[0]
    inside = shown & ((view_px >= 0) & (view_px < width_height)).all(-1)
    box = sample.box_xyxy
    widths = np.clip(box[:, 2] - box[:, 0], 1, None)
    heights = np.clip(box[:, 3] - box[:, 1], 1, None)
    camera = through_window(sample.camera, window.x_px, window.y_px, window.scale)
    return View(
        image_bgr=picture,
        intrinsics=as_row(camera),
        window=window,
        true_px=view_px,
        inside=inside & sample.has_px,
        size_px=np.sqrt(widths * heights) * window.scale,
    )
