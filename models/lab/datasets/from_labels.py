"""Labelled frames as the record that training sees; what a data set does not label is masked, never guessed."""

from collections.abc import Iterator, Sequence
from typing import Final, NoReturn

import numpy as np

from posecascade.models.arrays import Floats
from posecascade.models.camera import assumed
from posecascade.models.lab.datasets.errors import NotForTraining
from posecascade.models.lab.datasets.labelled import (
    LabelledFolder,
    LabelledFrame,
    LabelledPerson,
)
from posecascade.models.lab.datasets.sample import PoseSample, Visibility
from posecascade.models.skeleton import JOINT_NAMES, JOINTS, ROOT

FEWEST_JOINTS: Final = 6
"""People with fewer marked joints are not learned from, and whoever finds them is not wrong."""

_HIPS: Final = [JOINT_NAMES.index("left_hip"), JOINT_NAMES.index("right_hip")]
_MARKED_HIDDEN: Final = 1
_MARKED_VISIBLE: Final = 2


def samples_of(
    frames: Sequence[LabelledFrame],
    source: str,
    licence: str,
    *,
    fewest_joints: int = FEWEST_JOINTS,
    fewest_views: int = 0,
) -> Iterator[PoseSample]:
    """The frames one by one, each decoded when it is asked for.

    Args:
        source: name of the data set.
        licence: of frames that state none of their own.
        fewest_joints: people with fewer marked joints are dropped, and then not everybody is labelled.
        fewest_views: cameras that must have agreed on a triangulated joint for its place in space to count.

    Raises:
        LabelsError: a picture cannot be decoded, when its turn comes.
    """
    return (
        _sample(frame, source, frame.licence or licence, fewest_joints, fewest_views)
        for frame in frames
    )


def refuse_training(folder: LabelledFolder) -> NoReturn:
    """Raises NotForTraining with the terms of the data set."""
    allowed = folder.allowed or "evaluation only"
    terms = folder.terms or "no licence stated"
    raise NotForTraining(f"{folder.name}: {allowed} ({terms})")


def _sample(
    frame: LabelledFrame,
    source: str,
    licence: str,
    fewest_joints: int,
    fewest_views: int,
) -> PoseSample:
    image = frame.image_bgr()
    people = [
        person for person in frame.people if (person.seen > 0).sum() >= fewest_joints
    ]
    px = _stacked([person.joints_px for person in people], 2)
    mm = _stacked([_in_space(person, fewest_views) for person in people], 3)
    seen = _stacked([person.seen[:, None] for person in people], 1)[..., 0]
    has_px, has_mm = (np.asarray(np.isfinite(places).all(-1)) for places in (px, mm))
    return PoseSample(
        image_bgr=image,
        camera=frame.camera or assumed(image.shape[1], image.shape[0]),
        joints_px=np.where(has_px[..., None], px, 0.0),
        joints_mm=np.where(has_mm[..., None], mm, 0.0),
        has_px=has_px,
        has_mm=has_mm,
        visibility=_visibility(px, seen, image.shape[1], image.shape[0]),
        box_xyxy=np.array([person.box_xyxy_px for person in people]).reshape(-1, 4),
        ignore_xyxy=frame.ignore_xyxy_px.copy(),
        other_people_unlabelled=not frame.everyone_labelled
        or len(people) < len(frame.people),
        source=source,
        licence=licence,
    )


def _stacked(rows: Sequence[Floats], width: int) -> Floats:
    return np.array(rows, np.float64).reshape(-1, JOINTS, width)


def _in_space(person: LabelledPerson, fewest_views: int) -> Floats:
    """[25, 3] what is known well enough. The pelvis is by its definition the midpoint of the hips, where both are."""
    mm = person.joints_mm.astype(np.float64)
    if person.views is not None:
        mm[~(person.views >= fewest_views)] = np.nan
    if not np.isfinite(mm[ROOT]).all():
        mm[ROOT] = mm[_HIPS].mean(0)
    return mm


def _visibility(px: Floats, seen: Floats, width: int, height: int) -> np.ndarray:
    """[P, 25]: data sets mark visible and hidden joints; what hides them, and joints not marked, stay unknown."""
    inside = ((px >= 0) & (px < [width, height])).all(-1)
    known = np.where(
        seen == _MARKED_VISIBLE, int(Visibility.VISIBLE), int(Visibility.UNKNOWN)
    )
    return np.where(
        np.isfinite(px).all(-1) & ~inside, int(Visibility.OUTSIDE), known
    ).astype(np.int8)
