"""The first stage on one frame: `coarse` on the whole of it, and on tiles where small people may have been missed."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from posecascade.models.arrays import Image, Indices
from posecascade.models.camera import as_row, through_window
from posecascade.models.cascade.drive import Outputs, Steps
from posecascade.models.cascade.stage_outputs import from_outputs
from posecascade.models.cascade.tiles import (
    Tile,
    expected_new_people,
    merged,
    new_detections,
    promising_tiles,
)
from posecascade.models.crops import Window, best_size, fitted
from posecascade.models.detections import Detections, shifted
from posecascade.models.errors import DeepStagesSkipped, StageDown
from posecascade.models.keypoints import nms
from posecascade.models.manifest import Manifest
from posecascade.models.records import Camera, Stage
from posecascade.models.runners.base import StageBatch


@dataclass(slots=True)
class CoarseDetector:
    """Runs `coarse` on one frame."""

    image_bgr: Image
    camera: Camera
    manifest: Manifest
    min_score: float
    """Candidates below it are not answered."""
    clock: Callable[[], float]
    spent_ms: float = 0.0
    """From submitting batches to their outputs, all together."""

    def detect(self, region: Tile, max_tiles: int) -> Steps[Detections]:
        """The people of a region, best first, in the frame's pixels.

        If the pass over the whole region fails, the frame fails. If the tiles fail, it stands without them.

        Args:
            region: of the frame.
            max_tiles: to run again at a larger scale: the most promising ones, if any are.
        """
        [candidates], scale = yield from self.run([region])
        confident = self.keep_confident(candidates)
        people = candidates[confident]
        expected = expected_new_people(candidates, confident, scale)
        tiles = promising_tiles(region, candidates, expected)[:max_tiles]
        if not tiles:
            return people
        try:
            per_tile, _ = yield from self.run(tiles)
        except (StageDown, DeepStagesSkipped):
            return people
        parts = [people]
        for tile, found in zip(tiles, per_tile, strict=True):
            confident_found = found[self.keep_confident(found)]
            parts.append(new_detections(tile, confident_found, people, region))
        return merged(parts)

    def run(self, parts: list[Tile]) -> Steps[tuple[list[Detections], float]]:
        """All candidates of parts of one size.

        A part's candidates do not depend on the other parts.

        Returns:
            candidates: of each part, in the frame's pixels.
            scale: network pixels per frame pixel.
        """
        width = parts[0].width
        height = parts[0].height
        sizes_hw = self.manifest.stages[Stage.COARSE].input_sizes_hw
        size_hw = best_size(width, height, sizes_hw)
        images = []
        windows = []
        intrinsics = []
        for part in parts:
            rows = slice(part.y, part.y + height)
            columns = slice(part.x, part.x + width)
            image, window = fitted(self.image_bgr[rows, columns], size_hw)
            camera = through_window(self.camera, part.x, part.y, window.scale)
            images.append(image)
            windows.append(window)
            intrinsics.append(as_row(camera))
        batch = {"image_bgr": np.stack(images), "intrinsics": np.stack(intrinsics)}
        submitted_s = self.clock()
        outputs = yield StageBatch(Stage.COARSE, batch)
        self.spent_ms += 1000 * (self.clock() - submitted_s)
        candidates = []
        for item, part in enumerate(parts):
            of_part = {name: values[item] for name, values in outputs.items()}
            candidates.append(self._candidates(of_part, part, windows[item]))
        return candidates, windows[0].scale

    def _candidates(self, outputs: Outputs, part: Tile, window: Window) -> Detections:
        windows = [window] * len(outputs["score"])
        calibration = self.manifest.calibration
        in_part = from_outputs(outputs, windows, Stage.COARSE, calibration)
        in_frame = shifted(in_part, part.x, part.y)
        return in_frame[np.flatnonzero(in_frame.sound)]

    def keep_confident(self, candidates: Detections) -> Indices:
        """Rows of distinct people with at least `min_score`, best first."""
        confident = np.flatnonzero(candidates.score >= self.min_score)
        px = candidates.joints_px[confident]
        return confident[nms(px, candidates.score[confident])]
