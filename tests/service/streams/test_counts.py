"""Facts about what a stream counts."""

from dataclasses import replace

from prometheus_client import CollectorRegistry

from posecascade.service.streams.counts import Counts, StreamMetrics
from tests.standing import frame_of, standing


def test_a_summary_and_the_metrics_tell_the_same_story():
    registry = CollectorRegistry()
    counts = Counts(StreamMetrics(registry), received=5)
    for ids, age_ms in (((0, 1), 10.0), ((1, 4), 30.0)):
        counts.answer(frame_of(*(replace(standing(), id=id_) for id_ in ids)), age_ms)
    counts.fail()
    counts.drop()
    counts.drop()
    summary = counts.summary("s", 2.0)

    assert (summary.answered, summary.failed, summary.dropped) == (2, 1, 2)
    assert (summary.people, summary.age_ms_mean, summary.age_ms_max) == (5, 20.0, 30.0)
    assert summary.stages == {"coarse": 4}
    for outcome, count in (("answered", 2), ("failed", 1), ("dropped", 2)):
        assert (
            registry.get_sample_value(
                "posecascade_stream_frames_total", {"outcome": outcome}
            )
            == count
        )


def test_a_stream_without_frames_has_a_summary():
    assert (
        Counts(StreamMetrics(CollectorRegistry())).summary("s", 0.0).age_ms_mean == 0.0
    )
