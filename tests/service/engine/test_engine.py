"""One frame and many through the engine: deadlines, shedding, failures, and the end."""

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import numpy as np
import pytest

from posecascade.models.cascade.cascade import Cascade
from posecascade.models.errors import ManifestError
from posecascade.models.options import Options, Quality
from posecascade.models.records import Stage, Stop
from posecascade.service.engine.engine import BROKEN_AFTER, Engine, State
from posecascade.service.errors import Draining, Overloaded, StageUnavailable, Starting
from posecascade.service.metrics import Metrics
from posecascade.service.settings import Settings
from tests.doubles import FakeCascade
from tests.eventually import until
from tests.models.wide_shot import (
    CAMERA,
    FAINT,
    NEAR,
    UNSEEN,
    ShortSighted,
    picture,
    wide_cascade,
)
from tests.pictures import encoded, scene_bgr

PICTURE = np.zeros((48, 64, 3), np.uint8)
DEFAULTS = Options()
FAST = Options(quality=Quality.FAST)


async def ready(engine: Engine) -> None:
    await until(lambda: engine.state is not State.STARTING)


async def queued(engine: Engine, stage: Stage, items: int) -> None:
    await until(lambda: engine._loaded().workers[stage].waiting() == items)


@asynccontextmanager
async def serving(
    cascade: FakeCascade | Cascade, **settings: object
) -> AsyncIterator[Engine]:
    engine = Engine(Settings.model_validate(settings), lambda: cascade, Metrics())  # type: ignore[arg-type,return-value]
    async with engine.running():
        await ready(engine)
        yield engine


def samples(engine: Engine, name: str) -> dict[tuple[str, ...], float]:
    found = {}
    for family in engine._metrics.registry.collect():
        found.update(
            {
                tuple(s.labels.values()): s.value
                for s in family.samples
                if s.name == name
            }
        )
    return found


async def test_a_frame_goes_through_all_stages_and_its_times_add_up() -> None:
    async with serving(FakeCascade(people=3)) as engine:
        frame = await engine.infer(PICTURE, DEFAULTS)
        assert samples(engine, "posecascade_people_total") == {("expert", "deepest"): 3}
        assert samples(engine, "posecascade_stage_items_total") == {
            ("coarse",): 1,
            ("refine",): 3,
            ("expert",): 3,
        }

    assert [person.stage for person in frame.people] == [Stage.EXPERT] * 3
    parts = {name: ms for name, ms in frame.timing_ms.items() if name != "total"}
    assert sum(parts.values()) == pytest.approx(frame.timing_ms["total"])
    assert set(parts) >= {"queue", "coarse", "route", "refine", "expert", "other"}


async def test_nothing_of_a_frame_runs_on_the_event_loop() -> None:
    cascade = FakeCascade()
    threads = set()
    steps = cascade.steps
    run = cascade.runners[Stage.COARSE].run

    class Watched(FakeCascade):
        def steps(self, *args: object, **named: object):  # type: ignore[no-untyped-def,override]
            inner, reply = steps(*args, **named), None  # type: ignore[arg-type]
            while True:
                threads.add(threading.current_thread())
                try:
                    reply = yield inner.send(reply)  # type: ignore[arg-type]
                except StopIteration as finished:
                    return finished.value

    cascade.runners[Stage.COARSE].run = lambda batch: (
        threads.add(threading.current_thread()),
        run(batch),
    )[1]  # type: ignore[method-assign]
    watched = Watched()
    watched.runners = cascade.runners
    async with serving(watched) as engine:
        await engine.infer(PICTURE, DEFAULTS)

    assert threads
    assert threading.current_thread() not in threads


async def test_frames_that_wait_share_a_batch() -> None:
    cascade = FakeCascade()
    coarse = cascade.runners[Stage.COARSE]
    async with serving(cascade) as engine:
        coarse.gate.clear()
        frames = [asyncio.create_task(engine.infer(PICTURE, FAST))]
        await asyncio.to_thread(coarse.began.acquire)
        frames += [asyncio.create_task(engine.infer(PICTURE, FAST)) for _ in range(4)]
        await queued(engine, Stage.COARSE, 4)
        coarse.gate.set()
        await asyncio.gather(*frames)

    assert coarse.seen == [1, 4]


async def test_a_full_first_stage_refuses_frames() -> None:
    cascade = FakeCascade()
    coarse = cascade.runners[Stage.COARSE]
    async with serving(cascade, coarse_queue=2) as engine:
        coarse.gate.clear()
        first = asyncio.create_task(engine.infer(PICTURE, FAST))
        await asyncio.to_thread(coarse.began.acquire)
        waiting = [asyncio.create_task(engine.infer(PICTURE, FAST)) for _ in range(2)]
        await queued(engine, Stage.COARSE, 2)

        with pytest.raises(Overloaded, match="coarse: 2 of 2 places taken"):
            await engine.infer(PICTURE, FAST)

        coarse.gate.set()
        await asyncio.gather(first, *waiting)


async def test_a_full_deeper_stage_costs_depth_and_no_frame() -> None:
    cascade = FakeCascade(people=4)
    refine = cascade.runners[Stage.REFINE]
    async with serving(cascade, deep_queue=4) as engine:
        refine.gate.clear()
        first = asyncio.create_task(engine.infer(PICTURE, DEFAULTS))
        await asyncio.to_thread(refine.began.acquire)
        second = asyncio.create_task(engine.infer(PICTURE, DEFAULTS))
        await queued(engine, Stage.REFINE, 4)

        shed = await engine.infer(PICTURE, DEFAULTS)

        refine.gate.set()
        kept = await asyncio.gather(first, second)
    assert [(p.stage, p.stop, p.degraded) for p in shed.people] == [
        (Stage.COARSE, Stop.LOAD, True)
    ] * 4
    assert all(
        person.stage is not Stage.COARSE for frame in kept for person in frame.people
    )


async def test_a_deadline_leaves_out_what_would_come_too_late() -> None:
    cascade = FakeCascade()
    refine = cascade.runners[Stage.REFINE]
    async with serving(cascade) as engine:
        refine.gate.clear()
        frame = await engine.infer(
            PICTURE, DEFAULTS, deadline=asyncio.get_running_loop().time() + 0.05
        )
        refine.gate.set()

    assert [(p.stage, p.stop, p.degraded) for p in frame.people] == [
        (Stage.COARSE, Stop.DEADLINE, True)
    ] * 2


async def test_a_budget_is_kept_even_if_a_deeper_stage_hangs() -> None:
    cascade = FakeCascade()
    refine = cascade.runners[Stage.REFINE]
    async with serving(cascade) as engine:
        refine.gate.clear()
        frame = await engine.infer(PICTURE, Options(budget_ms=20))
        refine.gate.set()

    assert {person.stop for person in frame.people} == {Stop.DEADLINE}


async def test_a_deadline_that_the_first_stage_misses_is_an_overload() -> None:
    cascade = FakeCascade()
    coarse = cascade.runners[Stage.COARSE]
    async with serving(cascade) as engine:
        coarse.gate.clear()
        with pytest.raises(Overloaded, match="before the first stage"):
            await engine.infer(
                PICTURE, DEFAULTS, deadline=asyncio.get_running_loop().time() + 0.02
            )
        coarse.gate.set()


async def test_a_caller_who_is_cancelled_costs_no_deeper_look() -> None:
    cascade = FakeCascade()
    coarse = cascade.runners[Stage.COARSE]
    async with serving(cascade) as engine:
        coarse.gate.clear()
        gone = asyncio.create_task(engine.infer(PICTURE, DEFAULTS))
        await asyncio.to_thread(coarse.began.acquire)
        gone.cancel()
        coarse.gate.set()
        with pytest.raises(asyncio.CancelledError):
            await gone
        await engine.infer(PICTURE, FAST)

    assert cascade.runners[Stage.REFINE].seen == []


async def test_a_failing_deeper_stage_degrades_people(
    caplog: pytest.LogCaptureFixture, stage_failure: None
) -> None:
    cascade = FakeCascade()
    cascade.runners[Stage.REFINE].failing = RuntimeError("out of memory")
    async with serving(cascade) as engine:
        frame = await engine.infer(PICTURE, DEFAULTS)

    assert [(p.stage, p.stop, p.degraded) for p in frame.people] == [
        (Stage.COARSE, Stop.STAGE_FAILED, True)
    ] * 2
    assert "refine failed" in caplog.text


async def test_a_failing_first_stage_is_unavailable_and_after_a_while_broken(
    stage_failure: None,
) -> None:
    cascade = FakeCascade()
    coarse = cascade.runners[Stage.COARSE]
    coarse.failing = RuntimeError("out of memory")
    async with serving(cascade) as engine:
        for _ in range(BROKEN_AFTER):
            assert engine.state is State.READY
            with pytest.raises(StageUnavailable, match="coarse failed: RuntimeError"):
                await engine.infer(PICTURE, DEFAULTS)
        assert engine.state is State.FAILED


async def test_one_success_makes_a_failing_first_stage_whole(
    stage_failure: None,
) -> None:
    cascade = FakeCascade()
    coarse = cascade.runners[Stage.COARSE]
    async with serving(cascade) as engine:
        coarse.failing = RuntimeError("a hiccup")
        with pytest.raises(StageUnavailable):
            await engine.infer(PICTURE, FAST)
        coarse.failing = None
        await engine.infer(PICTURE, FAST)
        assert engine.failures()[Stage.COARSE] == 0


async def test_it_serves_only_once_it_is_warm_and_frees_the_cascade_at_the_end() -> (
    None
):
    cascade = FakeCascade()
    warmed = threading.Event()
    cascade.warm_up = lambda: warmed.wait(10)  # type: ignore[method-assign,return-value,assignment]
    engine = Engine(Settings(), lambda: cascade, Metrics())  # type: ignore[arg-type,return-value]

    async with engine.running():
        with pytest.raises(Starting):
            await engine.infer(PICTURE, DEFAULTS)
        warmed.set()
        await ready(engine)
        await engine.infer(PICTURE, DEFAULTS)
        engine.admit()

    assert cascade.closed
    with pytest.raises(Draining):
        await engine.infer(PICTURE, DEFAULTS)


async def test_a_drain_refuses_what_is_new_and_finishes_what_is_not() -> None:
    async with serving(FakeCascade()) as engine:
        engine.drain()

        with pytest.raises(Draining):
            engine.admit()
        assert (await engine.infer(PICTURE, DEFAULTS)).people


async def test_weights_that_do_not_fit_say_why(
    caplog: pytest.LogCaptureFixture, stage_failure: None
) -> None:
    def broken() -> FakeCascade:
        raise ManifestError("refine.onnx has another sha256")

    engine = Engine(Settings(), broken, Metrics())  # type: ignore[arg-type]
    async with engine.running():
        await ready(engine)
        assert engine.state is State.FAILED
        with pytest.raises(StageUnavailable, match=r"refine\.onnx has another sha256"):
            await engine.infer(PICTURE, DEFAULTS)
    assert "refine.onnx has another sha256" in caplog.text


async def test_pictures_are_decoded_up_to_a_bound() -> None:
    async with serving(FakeCascade(), max_decoding=2) as engine:
        requested = [
            asyncio.create_task(engine.decode(encoded(scene_bgr()))) for _ in range(3)
        ]
        done = await asyncio.gather(*requested, return_exceptions=True)

    assert [isinstance(result, Overloaded) for result in done] == [False, False, True]


async def test_a_crowded_queue_raises_the_price_even_for_who_came_before_it() -> None:
    cascade = FakeCascade()
    coarse = cascade.runners[Stage.COARSE]
    async with serving(cascade, queue_target_ms=1) as engine:
        assert samples(engine, "posecascade_load_price")[()] == 0
        coarse.gate.clear()
        first = asyncio.create_task(engine.infer(PICTURE, FAST))
        await asyncio.to_thread(coarse.began.acquire)
        others = [asyncio.create_task(engine.infer(PICTURE, FAST)) for _ in range(5)]
        await queued(engine, Stage.COARSE, 5)
        coarse.gate.set()
        await asyncio.gather(first, *others)

    assert cascade.pressures[0].price > 0


async def test_what_is_planned_fits_into_the_deadline_and_behind_who_waits() -> None:
    cascade = FakeCascade(people=8)
    refine = cascade.runners[Stage.REFINE]
    async with serving(cascade) as engine:
        loop = asyncio.get_running_loop()
        refine.gate.clear()
        before = [
            asyncio.create_task(engine.infer(PICTURE, DEFAULTS)) for _ in range(3)
        ]
        await asyncio.to_thread(refine.began.acquire)
        await queued(engine, Stage.REFINE, 16)
        after = asyncio.create_task(
            engine.infer(PICTURE, DEFAULTS, deadline=loop.time() + 1)
        )
        await queued(engine, Stage.REFINE, 24)
        refine.gate.set()
        await asyncio.gather(*before, after)

    waiting_ms = 16 * 5  # at the 5 ms that the manifest states
    assert cascade.pressures[3].left_ms < 1000 - waiting_ms
    assert cascade.pressures[0].left_ms > 1000


async def test_of_a_budget_only_what_is_left_after_the_wait_is_planned() -> None:
    cascade = FakeCascade()
    async with serving(cascade) as engine:
        await engine.infer(PICTURE, Options(budget_ms=30))

    assert cascade.pressures[0].left_ms == pytest.approx(30)


async def test_a_frame_that_its_deadline_takes_before_any_answer_raises_the_price() -> (
    None
):
    cascade = FakeCascade()
    coarse = cascade.runners[Stage.COARSE]
    async with serving(cascade) as engine:
        coarse.gate.clear()
        with pytest.raises(Overloaded):
            await engine.infer(
                PICTURE, DEFAULTS, deadline=asyncio.get_running_loop().time() + 0.02
            )
        coarse.gate.set()

        assert samples(engine, "posecascade_load_price")[()] > 0


async def found_by_looking_closer(coarse: ShortSighted) -> int:
    async with serving(wide_cascade(coarse)) as engine:
        return len(
            (
                await engine.infer(
                    picture(), Options(camera=CAMERA, policy="never", tiles=2)
                )
            ).people
        )


async def test_closer_looks_go_through_the_queue_of_the_first_stage() -> None:
    assert await found_by_looking_closer(ShortSighted([NEAR, FAINT, UNSEEN])) == 3


@pytest.mark.usefixtures("stage_failure")
async def test_a_frame_whose_closer_looks_fail_keeps_its_first_one() -> None:
    assert (
        await found_by_looking_closer(
            ShortSighted([NEAR, FAINT, UNSEEN], fails_on_tiles=True)
        )
        == 1
    )
