from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from posecascade.models.arrays import Image
from posecascade.models.lab.datasets.labelled import LabelledFrame, read_folder
from posecascade.models.lab.evaluation.contact_sheet import (
    PEOPLE,
    ROW_PX,
    contact_sheet,
    save_contact_sheet,
    spread,
)
from posecascade.models.lab.scoring.systems import RoutedBy
from posecascade.models.policies import AlwaysPolicy
from posecascade.models.records import Frame
from tests.models.lab.evaluation.stages import cascade_of, scene

ORANGE_BGR = (40, 150, 255)
BLUE_BGR = (255, 160, 60)


def answers(
    folder: Path, people: list[int]
) -> tuple[tuple[LabelledFrame, ...], list[Frame]]:
    cascade = cascade_of(scene(folder, people))
    frames = read_folder(folder).frames
    deep = RoutedBy(cascade, AlwaysPolicy())
    return frames, [
        deep.predict(frame.image_bgr(), camera=frame.camera) for frame in frames
    ]


def panels(frame: LabelledFrame, answer: Frame) -> Image:
    """What stands right of the picture and of the view of everyone."""
    return contact_sheet([frame], lambda _: answer)[
        :ROW_PX, round(ROW_PX * 640 / 480) + round(0.75 * ROW_PX) :
    ]


def test_there_is_a_row_a_frame_with_a_panel_a_person(tmp_path: Path) -> None:
    frames, found = answers(tmp_path, [1, 0, PEOPLE + 2])
    by_frame = dict(zip([frame.path for frame in frames], found, strict=True))

    sheet = contact_sheet(frames, lambda frame: by_frame[frame.path])

    assert sheet.shape[0] == 3 * (ROW_PX + 4)
    widths = [panels(*pair).shape[1] for pair in zip(frames, found, strict=True)]
    assert widths[1] == 0
    assert widths[2] == PEOPLE * widths[0]


def test_someone_facing_the_camera_has_their_left_side_on_the_right(
    tmp_path: Path,
) -> None:
    [frame], [found] = answers(tmp_path, [1])  # scripted bodies have their left at +x

    front = panels(frame, found)[: ROW_PX // 2]

    orange, blue = (
        np.abs(front.astype(int) - colour).sum(-1) < 30
        for colour in (ORANGE_BGR, BLUE_BGR)
    )
    assert np.nonzero(orange)[1].mean() > np.nonzero(blue)[1].mean()


def test_someone_missed_is_shown_in_white_alone(tmp_path: Path) -> None:
    [frame], [found] = answers(tmp_path, [1])

    missed = panels(frame, replace(found, people=()))

    assert (missed == 255).all(-1).any()
    assert not (np.abs(missed.astype(int) - ORANGE_BGR).sum(-1) < 30).any()


def test_frames_are_picked_at_even_steps_from_first_to_last(tmp_path: Path) -> None:
    frames, _ = answers(tmp_path, [0] * 9)

    assert [int(frame.path.stem) for frame in spread(frames, 3)] == [0, 4, 8]
    assert len(spread(frames, 20)) == 9


def test_a_sheet_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    frames, [found] = answers(tmp_path, [1])

    with pytest.raises(OSError, match="cannot write"):
        save_contact_sheet(tmp_path / "none" / "sheet.jpg", frames, lambda _: found)
