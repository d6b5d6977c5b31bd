"""Facts about which frame is worked on, and when."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from posecascade.service.streams.pacing import Pacer, Waiting
from posecascade.service.wire.stream_messages import Flow, SentFrame


@pytest.fixture
def anyio_backend():
    return "asyncio"


class Paced(Pacer):
    """Counts what it drops."""

    def __init__(self, flow):
        super().__init__(flow, self._drop)
        self.dropped = 0

    def _drop(self):
        self.dropped += 1


def frame(frame_id):
    return Waiting(SentFrame(b"jpeg"), frame_id, 0.0)


async def blocked(task):
    """Whether the task still waits after everything that could run has run."""
    for _ in range(5):
        await asyncio.sleep(0)
    return not task.done()


async def answer_next(pacer):
    taken = await pacer.take()
    pacer.finish(taken, answered=True)
    return taken.frame_id


async def test_live_the_newest_frame_wins_and_each_replaced_one_is_counted():
    pacer = Paced(Flow())
    for frame_id in range(5):
        await pacer.offer(frame(frame_id))

    assert await answer_next(pacer) == 4
    assert pacer.dropped == 4


async def test_from_a_file_every_frame_is_answered_and_the_sender_waits():
    pacer = Paced(Flow(mode="file"))
    answered = []

    async def send():
        for frame_id in range(20):
            await pacer.offer(frame(frame_id))

    async with asyncio.TaskGroup() as group:
        sender = group.create_task(send())
        assert await blocked(sender)
        for _ in range(20):
            answered.append(await answer_next(pacer))

    assert answered == list(range(20))
    assert pacer.dropped == 0


async def test_without_acks_the_window_never_closes():
    pacer = Paced(Flow(window=1))
    for frame_id in range(9):
        await pacer.offer(frame(frame_id))
        assert await answer_next(pacer) == frame_id


@pytest.mark.parametrize("window", [1, 2, 5])
async def test_with_acks_no_more_than_the_window_goes_unread(window):
    pacer = Paced(Flow(window=window, acks=True))
    for frame_id in range(window):
        await pacer.offer(frame(frame_id))
        await answer_next(pacer)
    await pacer.offer(frame(98))
    answer = asyncio.create_task(answer_next(pacer))
    assert await blocked(answer)
    await pacer.offer(frame(99))  # replaces what waits for the window
    assert pacer.acknowledge(0)

    assert await answer == 99
    assert pacer.dropped == 1


async def test_an_ack_confirms_the_answers_before_it_too():
    pacer = Paced(Flow(window=3, acks=True))
    for frame_id in (7, 8, 9):
        await pacer.offer(frame(frame_id))
        await answer_next(pacer)

    assert pacer.acknowledge(8)
    assert not pacer.acknowledge(7)
    assert pacer.acknowledge(9)


async def test_a_header_may_confirm_by_number():
    pacer = Paced(Flow(window=2, acks=True))
    for frame_id in (0, 1):
        await pacer.offer(frame(frame_id))
        await answer_next(pacer)
    pacer.read(65535)  # more than there are: nothing is owed, nothing is gained
    for frame_id in (2, 3):
        await pacer.offer(frame(frame_id))
        await answer_next(pacer)
    await pacer.offer(frame(4))
    late = asyncio.create_task(pacer.take())

    assert await blocked(late)
    late.cancel()


async def test_an_error_in_place_of_an_answer_needs_no_ack():
    pacer = Paced(Flow(window=1, acks=True))
    for frame_id in range(3):
        await pacer.offer(frame(frame_id))
        pacer.finish(await pacer.take(), answered=False)


async def test_from_a_file_acks_do_not_hold_anything_up():
    pacer = Paced(Flow(mode="file", window=1, acks=True))
    for frame_id in range(3):
        await pacer.offer(frame(frame_id))
        await answer_next(pacer)


async def test_stopping_waits_for_what_is_under_way_and_needs_no_more_acks():
    pacer = Paced(Flow(window=1, acks=True))
    await pacer.offer(frame(0))
    await answer_next(pacer)
    await pacer.offer(frame(1))
    stop = asyncio.create_task(pacer.finished())
    assert await blocked(stop)

    assert await answer_next(pacer) == 1
    await stop


@given(
    st.lists(st.sampled_from(["offer", "take", "ack"]), max_size=60), st.integers(1, 3)
)
def test_no_sequence_of_events_leaves_more_than_the_window_unread(events, window):
    async def play():
        pacer = Paced(Flow(window=window, acks=True))
        next_id = 0
        unread = []
        taker = None
        for event in events:
            if event == "offer":
                await pacer.offer(frame(next_id))
                next_id += 1
            elif event == "ack" and unread:
                assert pacer.acknowledge(unread.pop(0))
            elif event == "take" and taker is None:
                taker = asyncio.create_task(answer_next(pacer))
            if taker is not None and not await blocked(taker):
                unread.append(taker.result())
                taker = None
            assert len(unread) <= window
        if taker is not None:
            taker.cancel()

    asyncio.run(play())
