"""Makes `stream.webp` from a clip that `posecascade predict --draw` has drawn: `make figures`."""

import sys
from pathlib import Path

import cv2
from PIL import Image

WIDTH_PX = 840
EVERY = 2
"""Of the drawn frames, every second one is shown."""
FRAMES = 60
QUALITY = 70


def frames_of(path: Path) -> tuple[list[Image.Image], float]:
    """The shown frames, and milliseconds between them."""
    video = cv2.VideoCapture(str(path))
    interval_ms = 1000 * EVERY / video.get(cv2.CAP_PROP_FPS)
    shown: list[Image.Image] = []
    number = 0
    while len(shown) < FRAMES:
        found, image_bgr = video.read()
        if not found:
            break
        if number % EVERY == 0:
            height, width = image_bgr.shape[:2]
            size_wh = (WIDTH_PX, round(height * WIDTH_PX / width))
            small = cv2.resize(image_bgr, size_wh, interpolation=cv2.INTER_AREA)
            shown.append(Image.fromarray(cv2.cvtColor(small, cv2.COLOR_BGR2RGB)))
        number += 1
    return shown, interval_ms


def main() -> None:
    """Arguments: the drawn clip, the picture to write."""
    drawn, out = map(Path, sys.argv[1:])
    shown, interval_ms = frames_of(drawn)
    shown[0].save(
        out,
        save_all=True,
        append_images=shown[1:],
        duration=round(interval_ms),
        loop=0,
        quality=QUALITY,
        method=6,
    )


if __name__ == "__main__":
    main()
