from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

from posecascade.models.lab.datasets.labelled import read_folder
from posecascade.models.lab.scoring.recorded import ROUTES, Recorded, record
from posecascade.models.lab.scoring.run import run
from posecascade.models.lab.scoring.systems import stages_for_all
from posecascade.models.policies.table import FEATURES
from posecascade.models.records import Stage
from tests.models.lab.evaluation.stages import cascade_of, misled, scene

PEOPLE = [2, 0, 3, 1, 4]


@pytest.fixture
def recorded(tmp_path: Path) -> Recorded:
    return record(cascade_of(scene(tmp_path, PEOPLE)), [read_folder(tmp_path)])


def test_there_is_a_row_for_everybody_and_a_column_for_every_route(
    recorded: Recorded,
) -> None:
    count = sum(PEOPLE)
    routes = len(ROUTES)

    assert recorded.features.shape == (count, 2, len(FEATURES))
    assert recorded.errors_mm.shape == recorded.sigma_mm.shape == (count, routes, 25)
    assert [int((recorded.frame == f"{i}.png").sum()) for i in range(5)] == PEOPLE
    assert recorded.right.all()
    assert recorded.judged.all()


def test_routes_of_a_row_are_of_one_person(recorded: Recorded) -> None:
    left = np.array([1, 0.5, 0.25, 0.375])

    assert recorded.limb_error_mm == pytest.approx(
        recorded.limb_error_mm[:, :1] * left, rel=1e-3
    )
    assert recorded.sigma_mm == pytest.approx(
        recorded.sigma_mm[:, :1] * left[:, None], rel=1e-3
    )


def test_the_distance_from_the_deepest_answer_needs_no_truth(
    tmp_path: Path, recorded: Recorded
) -> None:
    blind = [
        replace(frame, people=(), everyone_labelled=False)
        for frame in read_folder(tmp_path).frames
    ]
    reported = record(
        cascade_of(scene(tmp_path, PEOPLE)),
        [replace(read_folder(tmp_path), frames=tuple(blind))],
    )

    assert reported.from_deepest_mm == pytest.approx(recorded.from_deepest_mm)
    assert reported.from_deepest_mm[:, -1] == pytest.approx(np.zeros(sum(PEOPLE)))
    assert (reported.person == -1).all()
    assert np.isnan(reported.limb_error_mm).all()
    assert np.isnan(reported.difficulty).all()


def test_everybody_labelled_has_a_difficulty_and_every_picture_is_a_sequence_of_its_own(
    recorded: Recorded,
) -> None:
    assert ((recorded.difficulty >= 0) & (recorded.difficulty <= 1)).all()
    assert len(set(recorded.sequence)) == sum(count > 0 for count in PEOPLE)


def test_errors_are_those_of_the_tables(tmp_path: Path, recorded: Recorded) -> None:
    frames = read_folder(tmp_path).frames
    runs = run(stages_for_all(cascade_of(scene(tmp_path, PEOPLE))), frames)

    for route, one in zip(
        [(), (Stage.REFINE,), (Stage.REFINE, Stage.EXPERT)], runs, strict=True
    ):
        column = ROUTES.index(route)
        table = sorted(
            person.errors_mm.mean() for score in one.scores for person in score.people
        )
        assert sorted(recorded.limb_error_mm[:, column]) == pytest.approx(
            table, rel=1e-6
        )


def test_features_are_those_after_each_stage(recorded: Recorded) -> None:
    error = FEATURES.index("log_expected_error")

    assert recorded.features[:, 0, error] - recorded.features[
        :, 1, error
    ] == pytest.approx(np.log(2), abs=1e-5)


def test_who_is_taken_for_another_keeps_the_coarse_answer_on_every_route_by_that_stage(
    tmp_path: Path, recorded: Recorded
) -> None:
    cascade = misled(cascade_of(scene(tmp_path, PEOPLE)), Stage.REFINE)
    reported = record(cascade, [read_folder(tmp_path)])
    lost = np.array(
        [place == 1 for count in PEOPLE for place in range(count)]
    )  # the second of each batch

    assert np.isnan(reported.features[lost, 1]).all()
    assert np.isfinite(reported.features[~lost]).all()
    coarse = recorded.limb_error_mm[lost, 0]
    to_expert = recorded.limb_error_mm[lost, ROUTES.index((Stage.EXPERT,))]
    assert reported.limb_error_mm[lost].T == pytest.approx(
        np.array(
            [to_expert if route == (Stage.EXPERT,) else coarse for route in ROUTES]
        )
    )
    assert reported.limb_error_mm[~lost] == pytest.approx(recorded.limb_error_mm[~lost])


def test_nothing_beyond_coarse_costs_nothing(recorded: Recorded) -> None:
    assert (recorded.cost_ms[:, 0] == 0).all()
    assert (recorded.cost_ms[:, 1:] > 0).all()


def test_what_is_saved_is_what_is_loaded(tmp_path: Path, recorded: Recorded) -> None:
    recorded.save(tmp_path / "table.npz")

    again = Recorded.load(tmp_path / "table.npz")

    for column in fields(Recorded):
        np.testing.assert_array_equal(
            getattr(again, column.name), getattr(recorded, column.name)
        )


def test_frames_without_anybody_are_no_table(tmp_path: Path) -> None:
    reported = scene(tmp_path, [0, 0])

    with pytest.raises(ValueError, match="nothing to record"):
        record(cascade_of(reported), [read_folder(tmp_path)])
