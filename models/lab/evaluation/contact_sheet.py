"""A sheet to look at: each frame with what was found and what is true, and the people in 3D from front and side.

A row holds the picture (truth in white, thin), everyone in camera space, and for up to five people the pose about the
mid-hip, from the camera above and from their picture's right below: left limbs orange, right limbs blue, truth white.
"""

from collections.abc import Callable, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from posecascade.models.arrays import Floats, Image
from posecascade.models.drawing import overlay, views
from posecascade.models.lab.datasets.labelled import LabelledFrame, LabelledPerson
from posecascade.models.lab.scoring.answers import Guess
from posecascade.models.lab.scoring.matching import match
from posecascade.models.records import Frame, Person
from posecascade.models.skeleton import BONES, JOINT_NAMES

ROW_PX: Final = 400
PEOPLE: Final = 5
_PANEL_PX: Final = 160
_BODY_MM: Final = 2000.0
"""What a panel is wide enough for, in height."""

_WHITE = (255, 255, 255)
_LEFT_BGR = (40, 150, 255)
_RIGHT_BGR = (255, 160, 60)
_MIDDLE_BGR = (170, 170, 170)
_FRONT: Final = np.array([[1.0, 0, 0], [0, 1, 0]])
"""Camera axes to right and down, seen from the camera."""
_SIDE: Final = np.array([[0.0, 0, -1], [0, 1, 0]])
"""The same seen from the picture's right: what is near the camera is on the right."""


def contact_sheet(
    frames: Sequence[LabelledFrame], answer: Callable[[LabelledFrame], Frame]
) -> Image:
    """[H, W, 3] a row for each of `frames`, in their order."""
    rows = [_row(frame, answer(frame)) for frame in frames]
    width = max(row.shape[1] for row in rows)
    return np.concatenate(
        [np.pad(row, ((0, 4), (0, width - row.shape[1]), (0, 0))) for row in rows]
    )


def save_contact_sheet(
    path: Path,
    frames: Sequence[LabelledFrame],
    answer: Callable[[LabelledFrame], Frame],
) -> None:
    """Raises:
    OSError: the picture cannot be written.
    """
    save_jpeg(path, contact_sheet(frames, answer))


def save_jpeg(path: Path, picture_bgr: Image) -> None:
    """Raises:
    OSError: the picture cannot be written.
    """
    if not cv2.imwrite(str(path), picture_bgr, [cv2.IMWRITE_JPEG_QUALITY, 88]):
        raise OSError(f"cannot write {path}")


def spread(frames: Sequence[LabelledFrame], count: int) -> list[LabelledFrame]:
    """`count` frames at even steps through all of them."""
    return [
        frames[i]
        for i in np.unique(np.linspace(0, len(frames) - 1, count).round().astype(int))
    ]


def _row(truth: LabelledFrame, frame: Frame) -> Image:
    picture = overlay(truth.image_bgr(), frame.people)
    thin = max(1, round(min(picture.shape[:2]) / 400))
    for person in truth.people:
        bones(picture, completed(person.joints_px), white, thin)
    scale = ROW_PX / picture.shape[0]
    picture = np.asarray(
        cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA),
        np.uint8,
    )
    panels = [
        _person_panel(person, known) for person, known in _pairs(truth, frame)[:PEOPLE]
    ]
    return np.concatenate(
        [picture, views(frame, (round(0.75 * ROW_PX), ROW_PX)), *panels], axis=1
    )


def _pairs(
    truth: LabelledFrame, frame: Frame
) -> list[tuple[Person | None, LabelledPerson | None]]:
    """People found with their truth first, then the missed, then detections of nobody."""
    matches = match(truth, [Guess.of(person) for person in frame.people])
    pairs = list(zip(matches.found_by, matches.people, strict=True))
    found = [(frame.people[by], known) for by, known in pairs if by >= 0]
    missed = [(None, known) for by, known in pairs if by < 0]
    unused = [
        person
        for index, person in enumerate(frame.people)
        if index not in matches.found_by
    ]
    return [*found, *missed, *zip_longest(unused, (), fillvalue=None)]


def _person_panel(person: Person | None, known: LabelledPerson | None) -> Image:
    """[ROW_PX, _PANEL_PX, 3] front above, side below, each about the mid-hip."""
    return np.concatenate([_view(person, known, axes) for axes in (_FRONT, _SIDE)])


def _view(person: Person | None, known: LabelledPerson | None, axes: Floats) -> Image:
    picture: Image = np.full((ROW_PX // 2, _PANEL_PX, 3), 36, np.uint8)
    picture[:, -1] = 70
    if known is not None:
        bones(picture, _on_panel(completed(known.joints_mm), axes), white, 1)
    if person is not None:
        bones(picture, _on_panel(person.pose.joints_rel_mm, axes), side_colour, 2)
    return picture


def _on_panel(joints_mm: Floats, axes: Floats) -> Floats:
    """[25, 2] panel pixels, the mid-hip a little below the middle."""
    hips = joints_mm[
        [JOINT_NAMES.index("left_hip"), JOINT_NAMES.index("right_hip")]
    ].mean(0)
    scale = ROW_PX / 2 / _BODY_MM
    return np.asarray(
        scale * (joints_mm - hips) @ axes.T + [_PANEL_PX / 2, 0.46 * ROW_PX / 2]
    )


def completed(joints: Floats) -> Floats:
    """`joints` [25, C] with pelvis and neck put between hips and shoulders where they are unknown: bones need them."""
    whole = joints.copy()
    for middle, part in (("pelvis", "hip"), ("neck", "shoulder")):
        index = JOINT_NAMES.index(middle)
        if np.isnan(whole[index]).any():
            whole[index] = whole[
                [JOINT_NAMES.index(f"left_{part}"), JOINT_NAMES.index(f"right_{part}")]
            ].mean(0)
    return whole


def white(joint: int) -> tuple[int, int, int]:
    return _WHITE


def side_colour(joint: int) -> tuple[int, int, int]:
    name = JOINT_NAMES[joint]
    return (
        _LEFT_BGR
        if name.startswith("left_")
        else _RIGHT_BGR
        if name.startswith("right_")
        else _MIDDLE_BGR
    )


def bones(
    image: Image,
    points_px: Floats,
    colour: Callable[[int], tuple[int, int, int]],
    width: int,
) -> None:
    """Draws every bone of [25, 2] whose two ends are known."""
    for start, end in BONES:
        if np.isfinite(points_px[[start, end]]).all():
            a, b = (
                np.clip(points_px[[start, end]], -9999, 9999)
                .round()
                .astype(int)
                .tolist()
            )
            cv2.line(image, a, b, colour(end), width, cv2.LINE_AA)
