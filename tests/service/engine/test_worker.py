"""The queue of a stage: batches, bounds, and what becomes of callers who leave."""

import asyncio
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from posecascade.models.errors import StageDown
from posecascade.models.records import Stage
from posecascade.models.runners.base import Arrays
from posecascade.service.engine.worker import StageRun, StageWorker, batch_sizes
from posecascade.service.errors import Draining, Overloaded
from tests.doubles import FakeRunner
from tests.eventually import until


def crops(*values: int, size: int = 4) -> Arrays:
    """One item per value, filled with it: the fake stage answers its mean."""
    return {
        "crop_bgr": np.tile(
            np.array(values, np.uint8).reshape(-1, 1, 1, 1), (1, size, size, 3)
        )
    }


@pytest.fixture
def runner() -> FakeRunner:
    return FakeRunner()


@pytest.fixture
def runs() -> list[StageRun]:
    return []


@pytest.fixture
def worker(runner: FakeRunner, runs: list[StageRun]) -> StageWorker:
    return StageWorker(
        Stage.REFINE, runner, buckets=(1, 2, 4), bound=8, cost_ms=5, on_run=runs.append
    )


async def test_jobs_that_wait_are_run_together_and_get_their_own_answers(
    worker: StageWorker, runner: FakeRunner
) -> None:
    first = worker.submit(crops(1))
    second = worker.submit(crops(2, 3))

    async with worker.running():
        answers = [await first, await second]

    assert runner.seen == [2, 1]  # three items, in batches that the stage is warm for
    assert [answer.outputs["score"].tolist() for answer in answers] == [[1], [2, 3]]
    assert all(answer.waited_s >= 0 for answer in answers)


async def test_jobs_of_other_shapes_wait_for_the_next_batch(
    worker: StageWorker, runner: FakeRunner
) -> None:
    small = worker.submit(crops(1))
    large = worker.submit(crops(2, size=8))
    small_too = worker.submit(crops(3))

    async with worker.running():
        await asyncio.gather(small, large, small_too)

    assert runner.seen == [2, 1]


async def test_a_job_larger_than_any_batch_is_split(
    worker: StageWorker, runner: FakeRunner
) -> None:
    job = worker.submit(crops(*range(11)))

    async with worker.running():
        answer = await job

    assert runner.seen == [4, 4, 2, 1]
    assert answer.outputs["score"].tolist() == list(range(11))


async def test_a_full_queue_refuses_at_once(worker: StageWorker) -> None:
    worker.submit(crops(*range(6)))

    with pytest.raises(
        Overloaded, match="refine: 6 of 8 places taken, 3 more requested"
    ):
        worker.submit(crops(1, 2, 3))
    assert worker.waiting() == 6


async def test_a_caller_who_left_costs_no_inference(
    worker: StageWorker, runner: FakeRunner, runs: list[StageRun]
) -> None:
    gone = worker.submit(crops(1))
    stays = worker.submit(crops(2))
    gone.cancel()
    assert worker.waiting() == 1

    async with worker.running():
        await stays

    assert runner.seen == [1]
    assert runs[0].items == 1


async def test_the_place_of_a_caller_who_left_is_free(worker: StageWorker) -> None:
    worker.submit(crops(*range(8))).cancel()

    assert not worker.submit(crops(*range(8))).done()


async def test_one_bad_job_does_not_take_the_others_of_its_batch_along(
    runs: list[StageRun], stage_failure: None
) -> None:
    class Picky(FakeRunner):
        def run(self, batch: Arrays) -> dict[str, np.ndarray]:
            if (batch["crop_bgr"] == 13).any():
                raise ValueError("superstition")
            return super().run(batch)

    worker = StageWorker(
        Stage.REFINE, Picky(), buckets=(1, 2, 4), bound=8, cost_ms=5, on_run=runs.append
    )
    good = worker.submit(crops(1))
    bad = worker.submit(crops(13))

    async with worker.running():
        assert (await good).outputs["score"].tolist() == [1]
        with pytest.raises(StageDown, match="refine failed: ValueError") as failure:
            await bad
        assert str(failure.value.__cause__) == "superstition"
        assert worker.failures == 1
        await worker.submit(crops(2))
        assert worker.failures == 0


async def test_the_wait_of_a_next_job_is_told_by_those_before_it_and_the_pace(
    worker: StageWorker,
) -> None:
    assert worker.wait_s() == 0
    jobs = [worker.submit(crops(1, 2)), worker.submit(crops(3))]
    assert worker.wait_s() == pytest.approx(3 * 0.005)  # at the 5 ms that are stated

    async with worker.running():
        await asyncio.gather(*jobs)
        await until(lambda: worker.wait_s() == 0)
    assert worker.pace.item_s != 0.005


async def test_nobody_is_left_waiting_after_the_end(
    worker: StageWorker, runner: FakeRunner
) -> None:
    runner.gate.clear()
    async with worker.running():
        running = worker.submit(crops(1))
        await asyncio.to_thread(runner.began.acquire)
        queued = worker.submit(crops(2))
        asyncio.get_running_loop().call_later(
            0.01, runner.gate.set
        )  # the thread ends after the worker closed

    for answer in (running, queued):
        with pytest.raises(Draining, match="refine is closing"):
            await answer
    with pytest.raises(Draining):
        worker.submit(crops(3))


async def test_a_batch_that_nobody_waits_for_any_more_harms_no_later_one(
    worker: StageWorker, runner: FakeRunner
) -> None:
    runner.gate.clear()
    async with worker.running():
        gone = worker.submit(crops(1))
        await asyncio.to_thread(runner.began.acquire)
        gone.cancel()
        runner.gate.set()
        assert (await worker.submit(crops(7))).outputs["score"].tolist() == [7]


@given(st.integers(1, 200), st.lists(st.integers(2, 64), max_size=4))
def test_batches_are_warm_sizes_and_nothing_is_padded(
    items: int, buckets: Sequence[int]
) -> None:
    descending = sorted({1, *buckets}, reverse=True)

    sizes = batch_sizes(items, descending)

    assert sum(sizes) == items
    assert set(sizes) <= set(descending)
