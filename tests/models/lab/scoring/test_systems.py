from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from posecascade.models.arrays import Image
from posecascade.models.lab.datasets.labelled import read_folder
from posecascade.models.lab.scoring.answers import Guess
from posecascade.models.lab.scoring.run import run
from posecascade.models.lab.scoring.systems import (
    Counted,
    ReplayedRoutes,
    RoutedBy,
    WithoutCamera,
    drawn,
    looks,
    random_at_same_cost,
    routed,
    stages_for_all,
)
from posecascade.models.options import Options, Quality
from posecascade.models.records import Camera, Stage
from tests.models.lab.evaluation.stages import Scripted, cascade_of, misled, scene

ROUTES = ((), (Stage.REFINE,), (Stage.EXPERT,), (Stage.REFINE, Stage.EXPERT))
PEOPLE = [2, 0, 3, 1, 4]


def test_one_stage_for_all_sends_everybody_there_and_nowhere_else(
    tmp_path: Path,
) -> None:
    reported = scene(tmp_path, PEOPLE)

    runs = run(stages_for_all(cascade_of(reported)), read_folder(tmp_path).frames)

    for one, stage in zip(runs, Stage, strict=True):
        assert {guess.stage for frame in one.guesses for guess in frame} == {stage}
        assert [len(frame) for frame in one.guesses] == PEOPLE


def test_the_routed_system_answers_as_the_cascade_does_at_quality_balanced(
    tmp_path: Path,
) -> None:
    cascade = cascade_of(scene(tmp_path, PEOPLE))
    system, counted = routed(cascade)

    for frame in read_folder(tmp_path).frames:
        ours = system.frame(frame.image_bgr(), frame.camera)
        served = cascade.predict(
            frame.image_bgr(), Options(Quality.BALANCED, camera=frame.camera)
        )
        assert [(p.stage, p.stop) for p in ours.people] == [
            (p.stage, p.stop) for p in served.people
        ]

    assert len({route for frame in counted.routes for route in frame}) > 1
    assert [len(frame) for frame in counted.routes] == PEOPLE


def test_the_counted_looks_are_the_looks_that_the_stages_had(tmp_path: Path) -> None:
    cascade = cascade_of(scene(tmp_path, PEOPLE))
    system, counted = routed(cascade)

    for frame in read_folder(tmp_path).frames:
        system.people(frame.image_bgr(), frame.camera)

    had = {
        stage: sum(items(cascade.runners[stage]))
        for stage in (Stage.REFINE, Stage.EXPERT)
    }
    assert looks(counted.routes) == had
    assert min(had.values()) > 0


def items(runner: object) -> list[int]:
    assert isinstance(runner, Scripted)
    return runner.items


def test_chance_has_as_many_looks_of_each_stage_as_the_router_had(
    tmp_path: Path,
) -> None:
    reported = scene(tmp_path, PEOPLE)
    frames = read_folder(tmp_path).frames
    system, counted = routed(cascade_of(reported))
    run([system], frames)
    routes = counted.routes[1:]
    cascade = cascade_of(reported)

    [chance] = run([random_at_same_cost(cascade, routes, seed=5)], frames)

    last = Counter(
        route[-1] if route else Stage.COARSE for frame in routes for route in frame
    )
    assert Counter(guess.stage for frame in chance.guesses for guess in frame) == last


@dataclass
class RequestOptions:
    """A system that remembers which cameras it was told."""

    name: str = "asked"
    cameras: list[Camera | None] = field(default_factory=list)

    def people(self, image_bgr: Image, camera: Camera | None) -> list[Guess]:
        self.cameras.append(camera)
        return [Guess(np.zeros((25, 2)), 0.5)]


def test_an_uninformed_system_answers_as_the_system_that_is_told_no_camera() -> None:
    requested = RequestOptions()

    [guess] = WithoutCamera(requested).people(
        np.zeros((4, 4, 3), np.uint8), Camera(600, 600, 2, 2)
    )

    assert guess.score == 0.5
    assert requested.cameras == [None]
    assert WithoutCamera(requested).name == "asked, assumed field of view"


@given(
    st.lists(st.lists(st.sampled_from(ROUTES), max_size=4), max_size=6),
    st.integers(0, 99),
)
def test_dealing_anew_keeps_the_routes_and_the_number_of_people_in_each_frame(
    routes: list, seed: int
) -> None:
    dealt = drawn(routes, np.random.default_rng(seed))

    assert [len(frame) for frame in dealt] == [len(frame) for frame in routes]
    assert Counter(r for frame in dealt for r in frame) == Counter(
        r for frame in routes for r in frame
    )


def test_every_route_can_be_taken(tmp_path: Path) -> None:
    cascade = cascade_of(scene(tmp_path, [4]))
    [frame] = read_folder(tmp_path).frames

    found = RoutedBy(cascade, ReplayedRoutes([ROUTES])).predict(
        frame.image_bgr(), Options(camera=frame.camera)
    )

    assert Counter(person.stage for person in found.people) == {
        Stage.COARSE: 1,
        Stage.REFINE: 1,
        Stage.EXPERT: 2,
    }
    assert [items(cascade.runners[stage]) for stage in Stage] == [[1], [2], [1, 1]]


def test_routes_stay_with_their_people_where_one_is_taken_for_another(
    tmp_path: Path,
) -> None:
    cascade = misled(cascade_of(scene(tmp_path, [4])), Stage.REFINE)
    [frame] = read_folder(tmp_path).frames
    to_expert = (Stage.REFINE, Stage.EXPERT)
    counted = Counted(
        ReplayedRoutes([[(Stage.REFINE,), to_expert, to_expert, ()]])
    )  # the second of them is lost to the first

    found = RoutedBy(cascade, counted).predict(
        frame.image_bgr(), Options(camera=frame.camera)
    )

    assert Counter(person.stage for person in found.people) == {
        Stage.COARSE: 2,
        Stage.REFINE: 1,
        Stage.EXPERT: 1,
    }
    assert counted.routes == [[(Stage.REFINE,), (Stage.REFINE,), to_expert, ()]]


def test_routes_for_another_number_of_people_are_refused(tmp_path: Path) -> None:
    cascade = cascade_of(scene(tmp_path, [2]))
    [frame] = read_folder(tmp_path).frames

    with pytest.raises(ValueError, match="drawn for 3 people, got 2"):
        RoutedBy(cascade, ReplayedRoutes([[()] * 3])).predict(frame.image_bgr())
