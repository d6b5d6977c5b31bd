"""The published single-person networks that crop stages grew from, on the very windows that the stages get: 2D only.

An ONNX file of the MoveNet single-pose family: `image` [1, 3, S, S] RGB 0 to 255 in, 17 x (y, x, score) in 0..1 out.
`coarse`'s own origin finds people by itself and is among the peers.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

from posecascade.models.arrays import Floats, Image
from posecascade.models.cascade.cascade import Cascade
from posecascade.models.crops import cut, person_window
from posecascade.models.errors import RunnerError
from posecascade.models.lab.scoring.answers import Guess
from posecascade.models.lab.scoring.systems import RoutedBy
from posecascade.models.options import Options
from posecascade.models.policies import NeverPolicy
from posecascade.models.records import Camera, Person, Stage
from posecascade.models.skeleton import COCO17, JOINTS


@dataclass(frozen=True, slots=True)
class Origin:
    """`coarse` finds people; the published network says where their joints are."""

    name: str
    coarse: Cascade = field(repr=False)
    session: Any = field(repr=False)
    size_px: int

    def people(self, image_bgr: Image, camera: Camera | None) -> list[Guess]:
        found = self.coarse.predict(image_bgr, Options(camera=camera)).people
        return [self._look(image_bgr, person) for person in found]

    def _look(self, image_bgr: Image, person: Person) -> Guess:
        height, width = image_bgr.shape[:2]
        window = person_window(
            person.pose.joints_px, width, height, (self.size_px, self.size_px)
        )
        rgb = cut(image_bgr, window, (self.size_px, self.size_px))[:, :, ::-1]
        tensor = np.ascontiguousarray(
            rgb.transpose(2, 0, 1)[None], np.float32
        )  # [S, S, 3] -> [1, 3, S, S]
        marks = np.asarray(
            self.session.run(None, {self.session.get_inputs()[0].name: tensor})[0]
        ).reshape(17, 3)
        return Guess(
            _of_coco(
                window.to_frame(marks[:, 1::-1].astype(np.float64) * self.size_px)
            ),
            person.score,
        )


def load_origin(stage: Stage, path: Path, cascade: Cascade, *, threads: int) -> Origin:
    """The network that `stage` came from.

    Raises:
        RunnerError: the file is absent or no such network.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    if not path.is_file():
        raise RunnerError(f"{path}: no such file")
    try:
        session = onnxruntime.InferenceSession(
            path, options, providers=["CPUExecutionProvider"]
        )
    except Exception as broken:  # onnxruntime has an exception of its own for every cause, without a common base
        raise RunnerError(f"{path}: {str(broken).splitlines()[0]}") from broken
    shape = session.get_inputs()[0].shape
    if (
        len(shape) != 4
        or shape[1] != 3
        or not isinstance(shape[2], int)
        or shape[2] != shape[3]
    ):
        raise RunnerError(f"{path}: want one input [1, 3, S, S], got {shape}")
    return Origin(
        f"{stage}'s origin, {path.stem} (2D)",
        RoutedBy(cascade, NeverPolicy()),
        session,
        shape[2],
    )


def _of_coco(joints_px: Floats) -> Floats:
    """[25, 2] from COCO's [17, 2]; NaN for the joints that it lacks."""
    columns = np.full((JOINTS, 2), np.nan)
    columns[list(COCO17.source)] = joints_px
    return columns
