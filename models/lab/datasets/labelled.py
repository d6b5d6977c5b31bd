"""Labelled folders as typed records: a `labels.json` beside its pictures.

The file holds `{"source": str, "images": [...]}`; an image holds `file`, `width`, `height`, `K` (3x3, where known),
`people` (each `joints2d {name: [x, y, v]}`, `joints3d {name: [X, Y, Z]}` in camera space, `box [x0, y0, x1, y1]`),
`ignore` (boxes of people nobody labelled) and `other_people_unlabelled` or `unlabelled_background_person`. Triangulated
truth says in `views` how many cameras agreed on a joint; rendered people have `groups {kind: group}`, such as
`{"skin": "dark"}`, and `body`, the number of the one they are rendered with; a film says `time_s` of its images and
`id` of its people; several cameras say `camera` and the `frame` that they share; `terms` and `allowed` of the whole
file say what it is for.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np

from posecascade.models.arrays import Floats, Image
from posecascade.models.lab.datasets.errors import LabelsError
from posecascade.models.lab.datasets.pictures import read_picture
from posecascade.models.records import Camera
from posecascade.models.skeleton import COCO17, JOINT_NAMES, JOINTS

RENDERED: Final = "synthetic people"
"""What the renderer calls its labels' source."""


@dataclass(frozen=True, slots=True, eq=False)
class LabelledPerson:
    """What is known of one person; a joint of cascade25 that is not labelled is NaN."""

    joints_px: Floats
    """[25, 2] image space."""

    seen: Floats
    """[25] 2 visible, 1 labelled but hidden, 0 not labelled."""

    joints_mm: Floats
    """[25, 3] camera space."""

    box_xyxy_px: Floats
    """[4]"""

    views: Floats | None = None
    """[25] how many cameras agreed on the place of each joint, NaN unknown; None: the truth is not triangulated."""

    id: int | None = None
    """The same person has the same through a film; None: nobody says who is who."""

    groups: Mapping[str, str] = field(default_factory=dict)
    """The group they are of, by kind of group; empty where nobody says."""

    body: int | None = None
    """Number of their body among those that people are rendered with; None: unknown."""


@dataclass(frozen=True, slots=True, eq=False)
class LabelledFrame:
    """One picture and its truth."""

    path: Path
    size_wh_px: tuple[int, int]
    camera: Camera | None
    people: tuple[LabelledPerson, ...]
    ignore_xyxy_px: Floats
    """[B, 4] regions with people that are not labelled."""

    everyone_labelled: bool
    """False: further people are in view without label or box, so a surplus detection is no mistake."""

    coco17: bool
    """Its data set marks all joints of COCO-17, so that average precision can be asked for."""

    licence: str = ""
    """Of the picture, as far as the labels say."""

    trainable: bool = False
    """The licence lets a network that ships learn from it."""

    time_s: float | None = None
    """When in its film; None: not of a film."""

    moment: str = ""
    """Pictures of one moment by several cameras say the same; empty: nobody says."""

    view: str = ""
    """Which of several cameras; empty: nobody says."""

    def image_bgr(self) -> Image:
        """The decoded picture, EXIF rotation applied.

        Raises:
            LabelsError: it cannot be read, is truncated, or its size is not the labelled one.
        """
        try:
            image = read_picture(self.path)
        except ValueError as wrong:
            raise LabelsError(str(wrong)) from wrong
        if image.shape[1::-1] != self.size_wh_px:
            raise LabelsError(
                f"{self.path}: labels say {self.size_wh_px} pixels (w, h), got {image.shape[1::-1]}"
            )
        return image


@dataclass(frozen=True, slots=True)
class LabelledFolder:
    """One data set's part on disk."""

    name: str
    frames: tuple[LabelledFrame, ...]
    terms: str = ""
    """Whose terms it comes under."""

    allowed: str = ""
    """What those allow."""

    rendered: bool = False
    """Its people are drawn by the renderer, and no photographs."""


def read_folder(folder: Path) -> LabelledFolder:
    """Everything a labelled folder says, pictures not decoded yet.

    Raises:
        LabelsError: no such folder, no or broken `labels.json`, a picture that is missing, no pictures.
    """
    labels = _labels(folder)
    images = labels["images"]
    complete = _data_sets_with_coco17(images)
    frames = []
    for number, entry in enumerate(images):
        try:
            frames.append(
                _frame(folder, entry, coco17=entry.get("dataset", "") in complete)
            )
        except (KeyError, TypeError, ValueError) as wrong:
            name = entry.get("file", "without a name")
            raise LabelsError(
                f"{folder / 'labels.json'}: image {number} ({name}): {_reason(wrong)}"
            ) from wrong
    result = {name: str(labels.get(name, "")) for name in ("terms", "allowed")}
    return LabelledFolder(
        folder.resolve().name,
        tuple(frames),
        **result,
        rendered=labels.get("source") == RENDERED,
    )


def _labels(folder: Path) -> Mapping[str, Any]:
    file = folder / "labels.json"
    if not folder.is_dir():
        raise LabelsError(f"{folder}: no such folder")
    if not file.is_file():
        raise LabelsError(f"{folder}: no labels.json in it")
    try:
        labels: Mapping[str, Any] = json.loads(file.read_text())
        images = labels["images"]
    except (json.JSONDecodeError, UnicodeDecodeError, KeyError, TypeError) as wrong:
        raise LabelsError(
            f'{file}: want JSON {{"images": [...]}}, got {_reason(wrong)}'
        ) from wrong
    if (
        not isinstance(images, list)
        or not images
        or not all(isinstance(entry, dict) for entry in images)
    ):
        raise LabelsError(f"{file}: `images` must be a list of one object or more")
    return labels


def _reason(wrong: Exception) -> str:
    return f"no {wrong}" if isinstance(wrong, KeyError) else str(wrong).splitlines()[0]


def _data_sets_with_coco17(images: list[Any]) -> set[str]:
    """Names of the data sets (a folder may mix several) that mark every joint of COCO-17 on somebody."""
    marked: dict[str, set[str]] = {}
    for entry in images:
        for person in entry.get("people", ()):
            marked.setdefault(entry.get("dataset", ""), set()).update(
                person.get("joints2d", ())
            )
    return {name for name, joints in marked.items() if joints.issuperset(COCO17.joints)}


def _frame(folder: Path, entry: Mapping[str, Any], *, coco17: bool) -> LabelledFrame:
    path = folder / entry["file"]
    if not path.is_file():
        raise ValueError(f"no picture {path}")
    ignore = [box for box in entry.get("ignore", ()) if np.size(box) == 4]
    unlabelled = entry.get("other_people_unlabelled") or entry.get(
        "unlabelled_background_person"
    )
    return LabelledFrame(
        path=path,
        size_wh_px=(int(entry["width"]), int(entry["height"])),
        camera=_camera(entry.get("K")),
        people=tuple(_person(person) for person in entry["people"]),
        ignore_xyxy_px=np.asarray(ignore, np.float64).reshape(-1, 4),
        everyone_labelled=not unlabelled,
        coco17=coco17,
        licence=str(entry.get("licence", "")),
        trainable=entry.get("trainable") is True,
        time_s=float(entry["time_s"]) if "time_s" in entry else None,
        moment=str(entry.get("frame", "")) if "camera" in entry else "",
        view=str(entry.get("camera", "")),
    )


def _camera(intrinsics: Any) -> Camera | None:
    if intrinsics is None or np.size(intrinsics) != 9:
        return None
    k = np.asarray(intrinsics, np.float64).reshape(3, 3)
    return Camera(
        fx=float(k[0, 0]), fy=float(k[1, 1]), cx=float(k[0, 2]), cy=float(k[1, 2])
    )


def _person(entry: Mapping[str, Any]) -> LabelledPerson:
    marks = _columns(entry["joints2d"], 3)  # x, y, v
    seen = np.nan_to_num(marks[:, 2])
    marks[seen == 0] = np.nan
    box = _numbers("box", entry["box"], 4)
    views = _columns(entry["views"], 1)[:, 0] if "views" in entry else None
    who = int(entry["id"]) if "id" in entry else None
    groups = entry.get("groups", {})
    body = entry.get("body")
    if not isinstance(groups, dict) or not all(
        isinstance(group, str) for group in groups.values()
    ):
        raise ValueError(
            f'groups: want an object of names such as {{"skin": "dark"}}, got {groups}'
        )
    if body is not None and not isinstance(body, int):
        raise ValueError(f"body: want a whole number, got {body}")
    joints_mm = _columns(entry.get("joints3d", {}), 3)
    return LabelledPerson(marks[:, :2], seen, joints_mm, box, views, who, groups, body)


def _columns(joints: Mapping[str, Any], width: int) -> Floats:
    """[25, width] by name; joints that cascade25 lacks (a head's centre) are dropped."""
    columns = np.full((JOINTS, width), np.nan)
    for name, values in joints.items():
        if name in JOINT_NAMES:
            columns[JOINT_NAMES.index(name)] = _numbers(name, values, width)
    return columns


def _numbers(name: str, values: Any, width: int) -> Floats:
    numbers = np.asarray(values, np.float64).ravel()
    if len(numbers) != width or not np.isfinite(numbers).all():
        raise ValueError(f"{name}: want {width} finite numbers, got {values}")
    return numbers
