"""The memory of one stream: predicts its people before a frame is routed, and is updated by the answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from posecascade.models.arrays import Floats, Image, Indices, Mask
from posecascade.models.detections import Detections
from posecascade.models.keypoints import box_occlusion, box_scales, pose_change
from posecascade.models.policies.table import NEVER_S, TemporalFeatures
from posecascade.models.records import Stage
from posecascade.models.tracking.reuse.association import (
    associate,
    expected_px,
    is_cut,
    thumbnail,
)
from posecascade.models.tracking.reuse.propagation import fused, propagated
from posecascade.models.tracking.reuse.refresh import (
    FRAMES_PER_REFRESH,
    INPUTS,
    AccumulatedError,
    DeviationModel,
    RefreshCandidates,
    RefreshRule,
    new_track_gain_mm,
    propagation_cost_mm,
    visible_probability,
)
from posecascade.models.tracking.reuse.settings import Reuse
from posecascade.models.tracking.reuse.sides import fix_left_right, rotated_away
from posecascade.models.tracking.reuse.tracks import (
    COARSE,
    STAGES,
    TrackPrediction,
    Tracks,
)
from posecascade.models.tracking.reuse.update import FrameAnswers, updated_tracks

MAX_UNSEEN_S: Final = 0.5
"""A track that was not found for longer is dropped."""

MAX_AGE_S: Final = 2.0
"""A refined estimate older than this is not reused, even where it is not refreshed."""

DISOCCLUDED: Final = 0.3
"""Share of the box by which a person must come out of occlusion for the estimate from behind it to be dropped."""

GROWTH_MM: Final = 80.0
"""Expected deviation after a second, growing with the root of time, where no deviation model is fitted."""

RECENT_S: Final = 0.2
"""An unmatched detection beside known people is refined once it is found again, if the last frame is this recent. On
rendered films four in five of them are false, most often a duplicate detection, and more than half are gone by the next
frame."""


@dataclass(frozen=True, slots=True, eq=False)
class _Matches:
    """The people of a frame, matched to tracks."""

    tracks: Tracks
    """[K] the tracks they were matched to: none after a cut."""
    track_index: Indices
    """[P] rows of `tracks`; -1: new."""
    occlusion: Floats
    """[P] share of each box that another person covers."""
    thumbnail: Floats
    """[9, 16] of the frame."""

    @property
    def known(self) -> Indices:
        """[M] the people who have a track."""
        return np.flatnonzero(self.track_index >= 0)

    def tracks_of(self, people: Indices) -> Tracks:
        """The tracks of these people, who all have one."""
        return self.tracks[self.track_index[people]]


@dataclass(frozen=True, slots=True, eq=False)
class _Reusable:
    """The refined estimates that may be reused, in columns [P] of the frame's people; zeros where there is none."""

    propagated: Detections
    """As in `TrackPrediction`, of everybody."""
    stage: Indices
    refreshes: Indices
    frames: Indices
    interval_s: Floats
    accumulated_mm: Floats
    inputs: Floats
    """[P, F]"""
    expected_mm: Floats


class Memory:
    """Owns the tracks of one stream. Its frames take turns: `begin`, `predict`, `update`.

    `predict` changes no track, so a frame that fails leaves no trace.
    """

    def __init__(
        self, reuse: Reuse | None = None, rule: RefreshRule | None = None
    ) -> None:
        """
        Args:
            reuse: settings.
            rule: who is refreshed; by default as the product decides it.
        """
        self.reuse = reuse or Reuse()
        self._rule = rule or AccumulatedError()
        self._time_s = 0.0
        self.forget()

    def forget(self) -> None:
        """Drops all tracks: everyone in the next frame is new."""
        self._tracks = Tracks.empty()
        self._thumbnail: Floats = np.zeros((1, 1))

    def begin(self, time_s: float) -> None:
        """Sets the time of the next frame, on a clock that only goes forward."""
        self._time_s = time_s

    def predict(
        self,
        image_bgr: Image,
        coarse: Detections,
        deviation: DeviationModel | None,
        *,
        target_mm: float | None = None,
        deep_allowed: bool = True,
        reuse_allowed: bool = True,
        isolate_frame: bool = False,
    ) -> TrackPrediction:
        """What the tracks predict for the people of a frame.

        Args:
            image_bgr: the frame, searched for a cut.
            coarse: [P] the detections by `coarse`.
            deviation: the fitted model, if there is one.
            target_mm: see `Options.reuse_target_mm`; None: as fitted, or else as in the settings.
            deep_allowed: False: no refined estimate is reused.
            reuse_allowed: False: everybody needs a refresh.
            isolate_frame: the answer takes nothing from earlier frames; only the routing features do.
        """
        matches = self._match(image_bgr, coarse)
        temporal = self._temporal_features(matches, coarse)
        people = self._reusable_people(matches, coarse)
        if isolate_frame or not deep_allowed:
            people = people[:0]
        reusable = self._reusable(matches, people, coarse, temporal, deviation)
        candidates = self._candidates(reusable, temporal, coarse, deviation, target_mm)
        temporal.saving_mm[people] = _saving_mm(candidates)[people]
        needs_refresh = self._needs_refresh(matches, reusable, candidates, coarse)
        if isolate_frame or not deep_allowed or not reuse_allowed:
            needs_refresh = np.ones(len(coarse), bool)
        return _prediction(
            matches, temporal, reusable, candidates, needs_refresh, isolate_frame
        )

    def update(
        self,
        prediction: TrackPrediction,
        coarse: Detections,
        answer: Detections,
        stage: Sequence[Stage],
        reused: Mask,
    ) -> Detections:
        """Takes in the answers to a frame.

        Args:
            prediction: by this memory, for the frame.
            coarse: [P] the detections by `coarse`.
            answer: [P] the estimates of the last stage.
            stage: [P] that stage.
            reused: [P] answered by the propagated estimate.

        Returns:
            [P] the final answers: new estimates fused with propagated ones of the same kind, refined or coarse.
        """
        stage_index = np.array([STAGES.index(name) for name in stage], np.intp)
        refreshed = (stage_index != COARSE) & ~reused
        refined_twice = refreshed & prediction.has
        coarse_twice = (stage_index == COARSE) & prediction.coarse_only
        may_fuse = self.reuse.fuse and not prediction.isolate_frame
        people = np.flatnonzero((refined_twice | coarse_twice) & may_fuse)
        seen_s = prediction.tracks.seen_s[prediction.track_index[people]]
        mixed = fused(
            answer[people], prediction.propagated[people], self._time_s - seen_s
        )
        final = answer.replaced(people, mixed)
        answers = FrameAnswers(
            coarse=coarse,
            last=answer,
            final=final,
            stage=stage_index,
            refreshed=refreshed,
            reused=reused,
            time_s=self._time_s,
        )
        self._tracks = updated_tracks(prediction, answers)
        self._thumbnail = prediction.thumbnail
        return final

    def _match(self, image_bgr: Image, coarse: Detections) -> _Matches:
        """Matches the people [P] to tracks."""
        thumbnail_now = thumbnail(image_bgr)
        tracks, track_index = self._associated(coarse, thumbnail_now)
        # Unmatched detections cover nobody, unless all are: most are duplicate detections.
        is_person = (track_index >= 0) | (not len(tracks))
        return _Matches(
            tracks=tracks,
            track_index=track_index,
            occlusion=box_occlusion(coarse.joints_px, by=is_person),
            thumbnail=thumbnail_now,
        )

    def _associated(
        self, coarse: Detections, thumbnail_now: Floats
    ) -> tuple[Tracks, Indices]:
        """The recent tracks, and the row of each person [P] in them.

        After a cut there are none. Where most people match no track, the scene has changed too.
        """
        nobody = Tracks.empty(), np.full(len(coarse), -1)
        if is_cut(self._thumbnail, thumbnail_now):
            return nobody
        is_recent = self._time_s - self._tracks.seen_s <= MAX_UNSEEN_S
        tracks = self._tracks[np.flatnonzero(is_recent)]
        track_index = associate(tracks, coarse.joints_px, self._time_s)
        is_in_last_frame = tracks.seen_s == tracks.seen_s.max(initial=-np.inf)
        most_matches = min(len(coarse), int(is_in_last_frame.sum()))
        if 2 * int((track_index >= 0).sum()) < most_matches:
            return nobody
        return tracks, track_index

    def _temporal_features(
        self, matches: _Matches, coarse: Detections
    ) -> TemporalFeatures:
        """[P] columns of the routing table, `saving_mm` still to be filled in."""
        known = matches.known
        tracks = matches.tracks_of(known)
        now_px = coarse.joints_px[known]
        predicted_px = expected_px(tracks, tracks.pose.joints_px, self._time_s)
        speed_px_s = np.linalg.norm(tracks.velocity_px_s, axis=1)
        age_s = np.minimum(self._time_s - tracks.refreshed_s, NEVER_S)
        temporal = TemporalFeatures.unknown(len(coarse))
        temporal.change[known] = pose_change(predicted_px, now_px)
        temporal.speed[known] = speed_px_s / box_scales(now_px)
        temporal.age_s[known] = np.where(tracks.stage == COARSE, NEVER_S, age_s)
        return temporal

    def _reusable_people(self, matches: _Matches, coarse: Detections) -> Indices:
        """[R] people with a refined estimate that may still be reused.

        It is not too old, the person has not come out from behind another one since, and has not rotated away. The
        rotation must show in two frames: `coarse` may swap the sides in one.
        """
        known = matches.known
        tracks = matches.tracks_of(known)
        occlusion = matches.occlusion[known]
        is_refined = tracks.stage != COARSE
        is_recent = self._time_s - tracks.refreshed_s <= MAX_AGE_S
        is_disoccluded = tracks.occlusion_at_refresh - occlusion > DISOCCLUDED
        at_refresh_mm = tracks.coarse_at_refresh_mm
        had_rotated = rotated_away(at_refresh_mm, tracks.coarse.rel_mm)
        has_rotated = rotated_away(at_refresh_mm, coarse.rel_mm[known])
        may_reuse = is_refined & is_recent & ~is_disoccluded
        may_reuse &= ~(had_rotated & has_rotated)
        people: Indices = known[may_reuse]
        return people

    def _reusable(
        self,
        matches: _Matches,
        people: Indices,
        coarse: Detections,
        temporal: TemporalFeatures,
        deviation: DeviationModel | None,
    ) -> _Reusable:
        """The refined estimates of `people` [R], moved to this frame."""
        tracks = matches.tracks_of(people)
        expected_coarse_mm = tracks.pose.rel_mm - tracks.offset_mm
        now = fix_left_right(coarse[people], expected_coarse_mm)
        moved = propagated(
            tracks, now, self._time_s, follow_motion=self.reuse.propagate
        )
        count = len(coarse)
        stage = _scattered(count, people, tracks.stage)
        own_inputs = _deviation_inputs(tracks, now, temporal.of(people))
        inputs = _scattered(count, people, own_inputs)
        expected_mm = _expected_deviation_mm(inputs, deviation)
        return _Reusable(
            propagated=self._coarse_propagated(matches, coarse).replaced(people, moved),
            stage=stage,
            refreshes=_scattered(count, people, tracks.refreshes),
            frames=_scattered(count, people, tracks.frames + 1),
            interval_s=_scattered(count, people, tracks.interval_s),
            accumulated_mm=_scattered(count, people, tracks.accumulated_mm),
            inputs=inputs,
            expected_mm=np.where(stage == COARSE, 0.0, expected_mm),
        )

    def _coarse_propagated(self, matches: _Matches, coarse: Detections) -> Detections:
        """[P] the last answer of people who were answered by `coarse`, moved to this frame; else the detection."""
        known = matches.known
        people = known[matches.tracks_of(known).stage == COARSE]
        moved = propagated(
            matches.tracks_of(people),
            coarse[people],
            self._time_s,
            follow_motion=False,
        )
        return coarse.replaced(people, moved)

    def _candidates(
        self,
        reusable: _Reusable,
        temporal: TemporalFeatures,
        coarse: Detections,
        deviation: DeviationModel | None,
        target_mm: float | None,
    ) -> RefreshCandidates:
        """What the refresh rule decides by. The target is the caller's, or the fitted one, or that of the settings."""
        fitted_mm = None if deviation is None else deviation.target_mm
        extra_mm = propagation_cost_mm(
            reusable.expected_mm,
            reusable.propagated.expected_error_mm,
            visible_probability(coarse.score, coarse.joint_scores),
            reusable.refreshes,
        )
        return RefreshCandidates(
            age_s=temporal.age_s,
            frames=reusable.frames,
            extra_mm=extra_mm,
            accumulated_mm=reusable.accumulated_mm,
            interval_s=reusable.interval_s,
            target_mm=target_mm or fitted_mm or self.reuse.target_mm,
            is_fitted=deviation is not None,
        )

    def _needs_refresh(
        self,
        matches: _Matches,
        reusable: _Reusable,
        candidates: RefreshCandidates,
        coarse: Detections,
    ) -> Mask:
        """[P] who is to be refined: by the rule, or for the first time.

        A first refinement must be worth the target. An unmatched detection beside known people waits for the next
        frame, if that comes soon.
        """
        gain_mm = new_track_gain_mm(
            visible_probability(coarse.score, coarse.joint_scores)
        )
        last_seen_s = matches.tracks.seen_s.max(initial=-np.inf)
        is_recent = self._time_s - last_seen_s <= RECENT_S
        is_unconfirmed = (matches.track_index < 0) & is_recent
        return np.where(
            reusable.stage == COARSE,
            (gain_mm > candidates.target_mm) & ~is_unconfirmed,
            self._rule.needs_refresh(candidates),
        )


def _expected_deviation_mm(inputs: Floats, deviation: DeviationModel | None) -> Floats:
    """[P] expected distance of propagated estimates from fresh refined ones, for inputs [P, F]."""
    if deviation is not None:
        return deviation.expected_mm(inputs)
    expected_mm: Floats = GROWTH_MM * np.sqrt(inputs[:, INPUTS.index("age_s")])
    return expected_mm


def _prediction(
    matches: _Matches,
    temporal: TemporalFeatures,
    reusable: _Reusable,
    candidates: RefreshCandidates,
    needs_refresh: Mask,
    isolate_frame: bool,
) -> TrackPrediction:
    return TrackPrediction(
        temporal=temporal,
        propagated=reusable.propagated,
        expected_mm=reusable.expected_mm,
        stage=reusable.stage,
        needs_refresh=needs_refresh,
        frames=reusable.frames,
        inputs=reusable.inputs,
        extra_mm=candidates.extra_mm,
        accumulated_mm=reusable.accumulated_mm,
        target_mm=candidates.target_mm,
        tracks=matches.tracks,
        track_index=matches.track_index,
        occlusion=matches.occlusion,
        thumbnail=matches.thumbnail,
        isolate_frame=isolate_frame,
    )


def _saving_mm(candidates: RefreshCandidates) -> Floats:
    """[P] what a refresh saves a frame, were every frame since the last one as bad as this one."""
    run_mm = candidates.frames * candidates.extra_mm
    saving: Floats = (run_mm - candidates.accumulated_mm) / FRAMES_PER_REFRESH
    return saving


def _deviation_inputs(
    tracks: Tracks, now: Detections, temporal: TemporalFeatures
) -> Floats:
    """[R, F] in the order of `INPUTS`, finite."""
    moved_mm = np.linalg.norm(now.rel_mm - tracks.coarse_at_refresh_mm, axis=-1)
    offset_mm = np.linalg.norm(tracks.offset_mm, axis=-1)
    inputs = np.column_stack(
        [
            temporal.age_s,
            np.sqrt(temporal.age_s),
            moved_mm.mean(1),
            np.minimum(temporal.speed, 10.0),
            np.minimum(temporal.change, 3.0),
            now.sigma_mm.mean(1),
            tracks.pose.sigma_mm.mean(1),
            offset_mm.mean(1),
        ]
    )
    finite: Floats = np.nan_to_num(inputs, nan=0.0, posinf=1e4, neginf=0.0)
    return finite


def _scattered(count: int, rows: Indices, values: Any) -> Any:
    """[count, ...] the values [R, ...] in these rows, zeros elsewhere."""
    column = np.zeros((count, *values.shape[1:]), values.dtype)
    column[rows] = values
    return column
