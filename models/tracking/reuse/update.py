"""The tracks after a frame, from the tracks before it and the answers to it."""

from dataclasses import dataclass, fields, replace
from typing import Any, Final

import numpy as np

from posecascade.models.arrays import Floats, Indices, Mask
from posecascade.models.detections import COLUMNS, Detections
from posecascade.models.tracking.reuse.propagation import Correction, deviation_mm
from posecascade.models.tracking.reuse.refresh import (
    UNTRIED_INTERVAL_S,
    adapted_interval_s,
    extra_error_mm,
)
from posecascade.models.tracking.reuse.sides import fix_left_right
from posecascade.models.tracking.reuse.tracks import COARSE, TrackPrediction, Tracks

MAX_TRACKS: Final = 64
"""Tracks that are kept: those of the last frame first."""

NEW_CORRECTION_SHARE: Final = 0.5
"""Weight of the newest refinement in the running mean of corrections. A single one is as noisy as the two estimates
that it is the difference of."""


@dataclass(frozen=True, slots=True, eq=False)
class FrameAnswers:
    """Columns [P]: the answers to a frame, as far as its tracks need them."""

    coarse: Detections
    """The detections by `coarse`."""
    last: Detections
    """The estimates of the last stage."""
    final: Detections
    """The same after fusion, as the stream is answered."""
    stage: Indices
    """The stage of `last`, as a place in `STAGES`."""
    refreshed: Mask
    """Refined in this frame."""
    reused: Mask
    """Answered by the propagated estimate."""
    time_s: float
    """Of the frame."""

    @property
    def is_refined(self) -> Mask:
        """[P] answered by a refined estimate, of this frame or an earlier one."""
        return self.refreshed | self.reused


def updated_tracks(prediction: TrackPrediction, answers: FrameAnswers) -> Tracks:
    """The tracks of everybody in the frame, then those of people who were not found in it."""
    coarse = fix_left_right(answers.coarse, answers.last.rel_mm)
    answers = replace(answers, coarse=coarse)
    before = _tracks_before(prediction, answers)
    now = _with_refresh(before, prediction, answers)
    now = _with_correction(now, prediction, answers)
    now = replace(
        now,
        seen_s=np.full(len(coarse), answers.time_s),
        coarse=coarse,
        velocity_px_s=_velocity_px_s(before, answers),
        pose=_chosen_detections(answers.reused, prediction.propagated, answers.final),
        stage=np.where(answers.is_refined, answers.stage, COARSE),
        frames=np.where(answers.reused, prediction.frames, 0),
        accumulated_mm=np.where(
            answers.reused, prediction.accumulated_mm + prediction.extra_mm, 0.0
        ),
    )
    all_rows = np.arange(len(prediction.tracks))
    lost = prediction.tracks[np.setdiff1d(all_rows, prediction.track_index)]
    tracks = now[np.flatnonzero(_is_finite(now))].followed_by(lost)
    return tracks[np.arange(min(MAX_TRACKS, len(tracks)))]


def _tracks_before(prediction: TrackPrediction, answers: FrameAnswers) -> Tracks:
    """[P] the track of each person before this frame; a new person's starts here."""
    new = Tracks.unrefined(answers.coarse, answers.time_s)
    row_if_new = len(prediction.tracks) + np.arange(len(new))
    is_known = prediction.track_index >= 0
    rows = np.where(is_known, prediction.track_index, row_if_new)
    return prediction.tracks.followed_by(new)[rows]


def _with_refresh(
    tracks: Tracks, prediction: TrackPrediction, answers: FrameAnswers
) -> Tracks:
    """[P] with the state of the last refinement; its interval adapts where it was compared with a propagated one."""
    refreshed = answers.refreshed
    times_s = np.full(len(refreshed), answers.time_s)
    extra_mm = extra_error_mm(
        deviation_mm(prediction.propagated, answers.last),
        answers.last.expected_error_mm,
    )
    adapted_s = adapted_interval_s(tracks.interval_s, extra_mm, prediction.target_mm)
    unrefreshed_s = np.where(answers.reused, tracks.interval_s, UNTRIED_INTERVAL_S)
    refreshes_before = np.where(prediction.has, tracks.refreshes, 0)
    return replace(
        tracks,
        refreshed_s=_chosen(refreshed, times_s, tracks.refreshed_s),
        coarse_at_refresh_mm=_chosen(
            refreshed, answers.coarse.rel_mm, tracks.coarse_at_refresh_mm
        ),
        occlusion_at_refresh=_chosen(
            refreshed, prediction.occlusion, tracks.occlusion_at_refresh
        ),
        interval_s=np.where(refreshed & prediction.has, adapted_s, unrefreshed_s),
        refreshes=np.where(answers.is_refined, refreshes_before + refreshed, 0),
    )


def _with_correction(
    tracks: Tracks, prediction: TrackPrediction, answers: FrameAnswers
) -> Tracks:
    """[P] with the running means of the corrections; they start anew where there was no refined estimate."""
    correction = Correction.between(answers.last, answers.coarse)
    has_mean = answers.refreshed & prediction.has
    share = np.where(has_mean, NEW_CORRECTION_SHARE, 1.0)

    def mean(old: Floats, new: Floats) -> Floats:
        weight = share.reshape(-1, *[1] * (new.ndim - 1))
        mixed: Floats = _chosen(answers.refreshed, old + weight * (new - old), old)
        return mixed

    return replace(
        tracks,
        offset_px=mean(tracks.offset_px, correction.px),
        offset_mm=mean(tracks.offset_mm, correction.mm),
        offset_depth=mean(tracks.offset_depth, correction.log_depth),
    )


def _velocity_px_s(before: Tracks, answers: FrameAnswers) -> Floats:
    """[P, 2] of the body's centre: a running mean, so that a jittering box does not run away."""
    elapsed_s = np.maximum(answers.time_s - before.seen_s, 1e-3)[:, None]
    moved_px = answers.coarse.joints_px.mean(1) - before.coarse.joints_px.mean(1)
    velocity: Floats = (before.velocity_px_s + moved_px / elapsed_s) / 2
    return velocity


def _is_finite(tracks: Tracks) -> Mask:
    """[K] whether all numbers of a track are finite: where a network answers NaN, its track is dropped."""
    columns = [
        getattr(detections, name)
        for detections in (tracks.coarse, tracks.pose)
        for name in COLUMNS
    ]
    columns += [
        getattr(tracks, column.name)
        for column in fields(tracks)
        if column.name not in ("coarse", "pose")
    ]
    finite = [np.isfinite(it).all(tuple(range(1, it.ndim))) for it in columns]
    return np.asarray(np.logical_and.reduce(finite), bool)


def _chosen_detections(where: Mask, one: Detections, other: Detections) -> Detections:
    """[P] `one` where the mask is true, else `other`."""
    columns = {
        name: _chosen(where, getattr(one, name), getattr(other, name))
        for name in COLUMNS
    }
    return Detections(**columns)


def _chosen(where: Mask, one: Any, other: Any) -> Any:
    """[P, ...] rows of `one` where the mask [P] is true, else of `other`."""
    chosen = other.copy()
    chosen[where] = one[where]
    return chosen
