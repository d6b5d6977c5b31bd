"""Facts about the clock on which streams are compared."""

import numpy as np
import pytest

from posecascade.models.cascade.cascade import Cascade
from posecascade.models.lab.evaluation.streams.manifest_cost import run_at_manifest_cost
from posecascade.models.lab.scoring.cached_runner import CachedRunner
from posecascade.models.options import Options, Quality
from posecascade.models.records import Stage
from tests.models.lab.evaluation.crowd import SIZE_WH_PX
from tests.models.lab.evaluation.stages import cascade_of
from tests.models.lab.evaluation.streams.footage import bodies_mm, reported

PICTURE = np.zeros((*SIZE_WH_PX[::-1], 3), np.uint8)


@pytest.fixture
def cascade() -> Cascade:
    """Of three people; each look costs what it is known to, however often it was asked for."""
    scripted = cascade_of(reported(bodies_mm(3, 1), 6.0))
    return Cascade(
        scripted.manifest,
        {stage: CachedRunner(runner) for stage, runner in scripted.runners.items()},
    )


def test_looks_are_counted_and_cost_the_same_the_second_time(cascade: Cascade) -> None:
    for _ in range(2):
        frame, requested = run_at_manifest_cost(
            cascade, PICTURE, Options(quality=Quality.BEST, tiles=0), None
        )
        assert requested == {Stage.COARSE: 1, Stage.REFINE: 3, Stage.EXPERT: 3}
        assert [frame.timing_ms[stage] for stage in Stage] == pytest.approx(
            [30, 30, 90]
        )


def test_a_bound_is_felt_where_all_answers_are_known(cascade: Cascade) -> None:
    everybody, _ = run_at_manifest_cost(
        cascade, PICTURE, Options(quality=Quality.BEST, tiles=0), None
    )
    bounded, requested = run_at_manifest_cost(
        cascade, PICTURE, Options(quality=Quality.BEST, tiles=0, budget_ms=45.0), None
    )

    assert {person.stage for person in everybody.people} == {Stage.EXPERT}
    assert 10 * requested[Stage.REFINE] + 30 * requested[Stage.EXPERT] <= 45
    assert sorted(person.stage for person in bounded.people) == [Stage.REFINE] * 3
