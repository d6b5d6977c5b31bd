"""People drawn over their picture, and in 3D beside it.

Colour says which stage answered (the person's own left side in a lighter tint), opacity and dashes how sure it is of a
joint, faint discs in the 3D views how far off a joint may be (one sigma).
"""

from collections.abc import Iterable, Iterator
from typing import Any, Final, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from posecascade.models.arrays import Floats, Image
from posecascade.models.records import Frame, Person, Stage
from posecascade.models.skeleton import BONES, JOINT_NAMES

Colour: TypeAlias = tuple[int, int, int]
"""Blue, green, red."""

STAGE_BGR: Final[dict[Stage, Colour]] = {
    Stage.COARSE: (60, 183, 246),
    Stage.REFINE: (240, 201, 76),
    Stage.EXPERT: (255, 146, 199),
}
"""The colours of the live page too: `service/page/skeleton.js` and `style.css`."""
SURE: Final = 0.5
"""A bone is dashed where a joint's score is below this."""

_BACKGROUND = (34, 30, 28)
_GRID = (92, 84, 78)
_TEXT = (225, 222, 218)
_RIM = (12, 10, 10)
_LEFT = np.array([name.startswith("left") for name in JOINT_NAMES])
_PARTS = 16
"""OpenCV takes fixed-point coordinates: sixteenths of a pixel (shift 4)."""
_FAR_PX = 1e5

_VIEWS = (("from the camera", 0.0, 8.0), ("from the right", 80.0, 22.0))
"""Title, turn about the vertical and view from above, degrees."""


class _Ink:
    """Colour and opacity side by side, laid over a picture once: lines that cross do not add up."""

    def __init__(self, height: int, width: int) -> None:
        self._colour: NDArray[Any] = np.zeros((height, width, 3), np.uint8)
        self._opacity: NDArray[Any] = np.zeros((height, width), np.uint8)

    def line(
        self,
        start_px: Floats,
        end_px: Floats,
        colour: Colour,
        width: int,
        opacity: float,
    ) -> None:
        a = _fixed(start_px)
        b = _fixed(end_px)
        # The colour reaches one pixel further than the opacity, whose smoothed edge then has a colour to show.
        cv2.line(self._colour, a, b, colour, width + 2, cv2.LINE_8, 4)
        cv2.line(self._opacity, a, b, (round(255 * opacity),), width, cv2.LINE_AA, 4)

    def dot(
        self, centre_px: Floats, colour: Colour, radius_px: float, opacity: float
    ) -> None:
        centre = _fixed(centre_px)
        cv2.circle(
            self._colour,
            centre,
            round((radius_px + 1) * _PARTS),
            colour,
            cv2.FILLED,
            cv2.LINE_8,
            4,
        )
        cv2.circle(
            self._opacity,
            centre,
            round(radius_px * _PARTS),
            (round(255 * opacity),),
            cv2.FILLED,
            cv2.LINE_AA,
            4,
        )

    def over(self, image_bgr: Image) -> Image:
        share = self._opacity[:, :, None].astype(np.float32) / 255
        return np.round(image_bgr * (1 - share) + self._colour * share).astype(np.uint8)


def _fixed(point_px: Floats) -> tuple[int, int]:
    """OpenCV's own pixels have their centre at whole numbers, ours at halves."""
    x, y = np.round(
        (np.clip(np.nan_to_num(point_px), -_FAR_PX, _FAR_PX) - 0.5) * _PARTS
    ).astype(int)
    return int(x), int(y)


def _tint(colour: Colour, joint: int) -> Colour:
    blue, green, red = (
        (channel + 255) // 2 if _LEFT[joint] else channel for channel in colour
    )
    return blue, green, red


def _dashes(
    start_px: Floats, end_px: Floats, dash_px: float
) -> Iterator[tuple[Floats, Floats]]:
    count = int(min(np.hypot(*(end_px - start_px)) // (2 * dash_px), 40)) + 1
    for at in (np.arange(count) / count)[:, None]:
        yield (
            start_px + (end_px - start_px) * at,
            start_px + (end_px - start_px) * (at + 0.5 / count),
        )


def _skeleton(ink: _Ink, points_px: Floats, person: Person, width: int) -> None:
    """Bones and joints at `points_px` [25, 2], which may be of any view."""
    scores = np.clip(person.pose.joint_scores, 0, 1)
    colour = STAGE_BGR[person.stage]
    for shade, extra in (
        ((0, 0, 0), 2),
        (colour, 0),
    ):  # a dark rim first, to stand out from any background
        for a, b in BONES:
            sure = min(scores[a], scores[b])
            tint = _tint(shade, b) if not extra else shade
            opacity = (0.35 + 0.65 * sure) * (0.4 if extra else 1)
            bone = points_px[a], points_px[b]
            for start, end in [bone] if sure >= SURE else _dashes(*bone, 2.5 * width):
                ink.line(start, end, tint, width + extra, opacity)
    for joint, point in enumerate(points_px):
        ink.dot(
            point, _tint(colour, joint), 0.9 * width, 0.35 + 0.65 * float(scores[joint])
        )


def write(
    image: Image,
    text: str,
    left_bottom_px: tuple[float, float],
    scale: float,
    colour: Colour = _TEXT,
) -> None:
    """Text with a dark rim, moved into the picture where it would leave it."""
    height, width = image.shape[:2]
    (wide, high), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, scale, 1)
    x = round(max(2, min(left_bottom_px[0], width - wide - 4)))
    y = round(max(high + 3, min(left_bottom_px[1], height - 4)))
    # A dark rim by moving the text: a thicker stroke would also be a wider one.
    for dx, dy, shade in (
        (-1, 0, _RIM),
        (1, 0, _RIM),
        (0, -1, _RIM),
        (0, 1, _RIM),
        (0, 0, colour),
    ):
        cv2.putText(
            image,
            text,
            (x + dx, y + dy),
            cv2.FONT_HERSHEY_SIMPLEX,
            scale,
            shade,
            1,
            cv2.LINE_AA,
        )


def _text_scale(width: int) -> float:
    return float(np.clip(width / 900, 0.38, 0.8))


def overlay(image_bgr: Image, people: Iterable[Person]) -> Image:
    """A copy of the picture with everyone's skeleton, distance and expected error on it."""
    people = tuple(people)
    height, width = image_bgr.shape[:2]
    unit = max(1, round(min(height, width) / 260))
    ink = _Ink(height, width)
    for person in reversed(people):  # the highest score ends on top
        _skeleton(ink, person.pose.joints_px, person, unit)
    drawn = ink.over(image_bgr)
    scale = 0.32 + 0.06 * unit
    for person in people:
        left, top = person.box_xywh_px[:2]
        text = f"{person.pose.root_mm[2] / 1000:.1f} m  +-{person.pose.expected_error_mm:.0f} mm"
        name = "" if person.id is None else f"#{person.id}  "
        write(drawn, name + text, (left, top - 4), scale, STAGE_BGR[person.stage])
    return drawn


def _camera_to_view(turn_deg: float, above_deg: float) -> Floats:
    """[3, 3] to the axes right, down, away of someone who walked round the people and looks down on them."""
    turn, above = np.radians([turn_deg, above_deg])
    about_y = np.array(
        [[np.cos(turn), 0, np.sin(turn)], [0, 1, 0], [-np.sin(turn), 0, np.cos(turn)]]
    )
    about_x = np.array(
        [
            [1, 0, 0],
            [0, np.cos(above), -np.sin(above)],
            [0, np.sin(above), np.cos(above)],
        ]
    )
    return np.asarray(about_x @ about_y)


def _ground_lines(joints_mm: Floats) -> tuple[Floats, float]:
    """Ends [L, 2, 3] of a grid below everyone's joints [P, 25, 3], and its pitch in mm.

    The camera is taken as level: its own y axis is the vertical.
    """
    flat = joints_mm.reshape(-1, 3)
    low = flat.min(axis=0)
    high = flat.max(axis=0)
    extent = float(max(high[0] - low[0], high[2] - low[2]))
    pitch = next(
        (p for p in (500.0, 1000.0, 2000.0, 5000.0) if extent <= 8 * p), 10_000.0
    )
    ground = float(np.median(joints_mm[:, :, 1].max(axis=1)))
    (x0, z0) = np.floor(low[[0, 2]] / pitch) * pitch
    (x1, z1) = np.ceil(high[[0, 2]] / pitch) * pitch
    across = [((x0, ground, z), (x1, ground, z)) for z in np.arange(z0, z1 + 1, pitch)]
    along = [((x, ground, z0), (x, ground, z1)) for x in np.arange(x0, x1 + 1, pitch)]
    return np.array(across + along), pitch


def _view(
    people: tuple[Person, ...],
    size_wh_px: tuple[int, int],
    title: str,
    turn_deg: float,
    above_deg: float,
) -> Image:
    """The people in 3D, parallel projection, filling the picture."""
    (width, height) = size_wh_px
    axes = _camera_to_view(turn_deg, above_deg).T
    joints_mm = np.stack([person.pose.joints_mm for person in people])
    lines_mm, pitch_mm = _ground_lines(joints_mm)
    points, lines = (
        joints_mm @ axes,
        lines_mm @ axes,
    )  # [P, 25, 3], [L, 2, 3]: right, down, away
    everything = np.concatenate([points.reshape(-1, 3), lines.reshape(-1, 3)])[:, :2]
    low = everything.min(axis=0)
    high = everything.max(axis=0)
    scale = 0.86 * float(
        min(np.array([width, height - 24]) / np.maximum(high - low, 1.0))
    )
    shift = np.array([width, height + 24]) / 2 - scale * (low + high) / 2
    ink = _Ink(height, width)
    for start, end in scale * lines[:, :, :2] + shift:
        ink.line(start, end, _GRID, 1, 1.0)
    for index in np.argsort(-points[:, 0, 2]):  # far to near
        person = people[index]
        points_px = scale * points[index, :, :2] + shift
        for joint, radius_px in zip(
            points_px, scale * person.pose.sigma_mm, strict=True
        ):
            ink.dot(
                joint,
                STAGE_BGR[person.stage],
                min(float(radius_px), float(width)),
                0.12,
            )
        _skeleton(ink, points_px, person, max(1, round(min(height, width) / 170)))
    picture = ink.over(np.full((height, width, 3), _BACKGROUND, np.uint8))
    write(picture, f"{title}, grid {pitch_mm / 1000:g} m", (8, 0), _text_scale(width))
    return picture


def views(frame: Frame, size_wh_px: tuple[int, int]) -> Image:
    """The people of a frame in 3D, from the camera above and from their right below, with a grid on the ground."""
    width, height = size_wh_px
    half = height // 2
    people = frame.people
    if not people:
        picture: Image = np.full((height, width, 3), _BACKGROUND, np.uint8)
        write(picture, "nobody found", (8, 0), _text_scale(width))
        return picture
    parts = [
        _view(people, (width, part), *view)
        for part, view in zip((half, height - half), _VIEWS, strict=True)
    ]
    picture = np.concatenate(parts)
    for index, (stage, colour) in enumerate(STAGE_BGR.items()):
        write(
            picture,
            stage.value,
            (8 + 160 * _text_scale(width) * index, height - 8),
            _text_scale(width),
            colour,
        )
    return picture


def draw(image_bgr: Image, frame: Frame) -> Image:
    """`overlay` with `views` beside it on the right; as high as the picture, at least 360 pixels."""
    drawn = overlay(image_bgr, frame.people)
    height, width = drawn.shape[:2]
    if height < 360:
        drawn = np.asarray(
            cv2.resize(drawn, (round(width * 360 / height), 360)), np.uint8
        )
    height = drawn.shape[0]
    return np.concatenate(
        [drawn, views(frame, (max(280, round(0.62 * height)), height))], axis=1
    )
