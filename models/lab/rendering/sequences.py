"""From one scene at several moments to a film: one scene a moment, the camera standing or panning."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from posecascade.models.arrays import Floats
from posecascade.models.lab.rendering.scene import (
    Backdrop,
    Camera,
    People,
    Props,
    Scenes,
)

_STANDS: Final = 0.6
"""Share of films in which the camera does not pan."""
_PAN_RAD_S: Final = 0.25
_WOBBLE_RAD: Final = 0.004
_SMEARS_RAD_S: Final = 0.05
"""Pans slower than this leave the picture sharp."""


def filmed(rng: np.random.Generator, scene: Scenes, seconds: Floats) -> Scenes:
    """T scenes from one whose people have a time axis [P, T, ...] at `seconds` [T]."""
    moments = len(seconds)
    pan = 0.0 if rng.random() < _STANDS else float(rng.normal(0, _PAN_RAD_S))
    wobble = np.cumsum(rng.normal(0, _WOBBLE_RAD, (moments, 2)), 0) * (
        rng.random() < 0.5
    )
    lens = replace(scene.lens, motion=scene.lens.motion * (abs(pan) > _SMEARS_RAD_S))
    if scene.backdrop[0] == Backdrop.PHOTO:  # cannot turn
        pan = 0.0
        wobble = wobble * 0

    def stays(column: NDArray[Any]) -> NDArray[Any]:
        return np.repeat(column, moments, 0)

    camera = scene.camera.mapped(stays)
    camera = _moved(
        camera, pan * (seconds - seconds[-1] / 2) + wobble[:, 0], wobble[:, 1]
    )
    return Scenes(
        camera=camera,
        backdrop=stays(scene.backdrop),
        photo=stays(scene.photo),
        crop_px=stays(scene.crop_px),
        tone=stays(scene.tone),
        room=scene.room.mapped(stays),
        light=scene.light.mapped(stays),
        lens=lens.mapped(stays),
        people=_people(scene.people, moments),
        props=_props(scene.props, moments),
    )


def _moved(camera: Camera, yaw_rad: Floats, pitch_rad: Floats) -> Camera:
    return replace(
        camera, yaw_rad=camera.yaw_rad + yaw_rad, pitch_rad=camera.pitch_rad + pitch_rad
    )


def _every_moment(moments: int, column: NDArray[Any]) -> NDArray[Any]:
    return np.tile(column, (moments, *(1,) * (column.ndim - 1)))


def _people(people: People, moments: int) -> People:
    """All people at the first moment, then all at the second, and so on."""
    count = len(people.frame)

    def in_turn(column: NDArray[Any]) -> NDArray[Any]:  # [P, T, ...] -> [T * P, ...]
        return np.swapaxes(column, 0, 1).reshape(moments * count, *column.shape[2:])

    there = people.at_time(0).mapped(lambda column: _every_moment(moments, column))
    return replace(
        there,
        frame=np.repeat(np.arange(moments), count),
        quat=in_turn(people.quat),
        path_m=in_turn(people.path_m),
        lift_m=in_turn(people.lift_m),
    )


def _props(props: Props, moments: int) -> Props:
    there = props.mapped(lambda column: _every_moment(moments, column))
    return replace(there, frame=np.repeat(np.arange(moments), len(props.frame)))


def joined(
    batches: Sequence[tuple[Tensor, dict[str, Tensor]]],
) -> tuple[Tensor, dict[str, Tensor]]:
    """One batch of several: the pictures of each are numbered on in `frame`."""
    first = np.cumsum([0, *(len(images) for images, _ in batches)])
    truths = [
        truth | {"frame": truth["frame"] + int(start)}
        for (_, truth), start in zip(batches, first, strict=False)
    ]
    together = {
        name: torch.cat([truth[name] for truth in truths]) for name in truths[0]
    }
    return torch.cat([images for images, _ in batches]), together
