"""Who is in a frame: a look at the whole of it, and larger looks at the tiles where somebody may have been missed."""

from collections.abc import Callable, Generator
from dataclasses import dataclass

import numpy as np

from models.arrays import Image, Indices
from models.camera import as_row, through_window
from models.crops import Window, best_size, fitted
from models.errors import DeepStagesSkipped, StageDown
from models.looks import Looks, distinct, from_outputs, shifted
from models.manifest import Manifest
from models.records import Camera, Stage
from models.regions import Tile, expected_new, joined, marked, newcomers
from models.runners.base import Arrays, StageBatch


@dataclass(slots=True)
class Finder:
    """Asks `coarse` about one frame."""

    image_bgr: Image
    camera: Camera
    manifest: Manifest
    least_score: float
    clock: Callable[[], float]
    spent_ms: float = 0.0
    """From asking to being answered, all looks together."""

    def find(self, region: Tile, at_most_tiles: int) -> Generator[StageBatch, Arrays, Looks]:
        """The people of a region, best first, in the frame's pixels.

        A whole look that fails fails the frame; without the tiles it stands as it is.

        Args:
            region: of the frame.
            at_most_tiles: to look at again; the most promising ones, and only those that are marked.
        """
        (slots,), scale = yield from self.look([region])
        answered = self.answered(slots)
        people = slots[answered]
        chosen = marked(region, slots, expected_new(slots, answered, scale))[:at_most_tiles]
        if not chosen:
            return people
        try:
            closer, _ = yield from self.look(chosen)
        except (StageDown, DeepStagesSkipped):
            return people
        return joined([people, *(newcomers(tile, looks[self.answered(looks)], people, region)
                                 for tile, looks in zip(chosen, closer, strict=True))])

    def look(self, parts: list[Tile]) -> Generator[StageBatch, Arrays, tuple[list[Looks], float]]:
        """All that `coarse` says of parts of one size, each in the frame's pixels, and the scale at which it saw them.

        What is said of a part does not depend on the others.
        """
        width, height = parts[0].width, parts[0].height
        size_hw = best_size(width, height, self.manifest.stages[Stage.COARSE].input_sizes_hw)
        shown = [fitted(self.image_bgr[p.y : p.y + height, p.x : p.x + width], size_hw) for p in parts]
        cameras = [as_row(through_window(self.camera, p.x, p.y, window.scale))
                   for p, (_, window) in zip(parts, shown, strict=True)]
        asked = self.clock()
        outputs = yield StageBatch(Stage.COARSE, {"image_bgr": np.stack([picture for picture, _ in shown]),
                                                  "intrinsics": np.stack(cameras)})
        self.spent_ms += 1000 * (self.clock() - asked)
        return [self._said({name: values[item] for name, values in outputs.items()}, part, shown[item][1])
                for item, part in enumerate(parts)], shown[0][1].scale

    def _said(self, outputs: Arrays, part: Tile, window: Window) -> Looks:
        looks = from_outputs(outputs, [window] * len(outputs["score"]), Stage.COARSE, self.manifest.calibration)
        looks = shifted(looks, part.x, part.y)
        return looks[np.flatnonzero(looks.sound)]

    def answered(self, looks: Looks) -> Indices:
        """Rows of the people among all that was said, best first."""
        sure = np.flatnonzero(looks.score >= self.least_score)
        return sure[distinct(looks[sure])]
