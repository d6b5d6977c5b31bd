"""The tracks of a stream, in columns, and what they predict for the people of a frame."""

from dataclasses import dataclass, fields
from typing import Any, Final

import numpy as np

from posecascade.models.arrays import Floats, Indices, Mask
from posecascade.models.detections import Detections, concatenated
from posecascade.models.policies.table import TemporalFeatures
from posecascade.models.records import Stage
from posecascade.models.skeleton import JOINTS
from posecascade.models.tracking.reuse.refresh import UNTRIED_INTERVAL_S

STAGES: Final = tuple(Stage)
"""Shallow to deep. Columns named `stage` hold places in it."""

COARSE: Final = STAGES.index(Stage.COARSE)
"""In a column `stage`: there is no refined estimate."""


@dataclass(frozen=True, slots=True, eq=False)
class Tracks:
    """One row a person, as of the last frame that they were in."""

    seen_s: Floats
    """[K] time of that frame."""
    coarse: Detections
    """[K] detections by `coarse` in that frame."""
    velocity_px_s: Floats
    """[K, 2] of the body's centre in the image."""
    pose: Detections
    """[K] answers of that frame: refined estimates, propagated to it, or else coarse ones."""
    stage: Indices
    """[K] the stage that `pose` is from."""
    refreshed_s: Floats
    """[K] time of the refinement."""
    coarse_at_refresh_mm: Floats
    """[K, 25, 3] the coarse body at the refinement, relative to its root."""
    occlusion_at_refresh: Floats
    """[K] share of the box that another person covered at the refinement."""
    offset_px: Floats
    """[K, 25, 2] refined minus coarse joints, in sizes of the coarse body; running mean over the refinements."""
    offset_mm: Floats
    """[K, 25, 3] the same of the body relative to its root."""
    offset_depth: Floats
    """[K] the same of the logarithm of the root's depth."""
    interval_s: Floats
    """[K] adaptive interval, see `refresh.adapted_interval_s`."""
    refreshes: Indices
    """[K] refinements in a row that `pose` rests on."""
    frames: Indices
    """[K] answered by the refined estimate since its frame."""
    accumulated_mm: Floats
    """[K] error that propagation is expected to have added in these frames, summed."""

    def __len__(self) -> int:
        return len(self.seen_s)

    def __getitem__(self, rows: Indices) -> "Tracks":
        return Tracks(*(getattr(self, column.name)[rows] for column in fields(self)))

    def followed_by(self, other: "Tracks") -> "Tracks":
        """The rows of both."""
        return Tracks(
            *(
                _concatenated(getattr(self, column.name), getattr(other, column.name))
                for column in fields(self)
            )
        )

    @staticmethod
    def empty() -> "Tracks":
        """No tracks."""
        column = np.zeros(0)
        detections = Detections(
            score=column,
            joints_px=np.zeros((0, JOINTS, 2)),
            joint_scores=np.zeros((0, JOINTS)),
            rel_mm=np.zeros((0, JOINTS, 3)),
            sigma_mm=np.zeros((0, JOINTS)),
            root_depth_mm=column,
            root_depth_sigma_mm=column,
            disagreement=column,
        )
        return Tracks.unrefined(detections, 0.0)

    @staticmethod
    def unrefined(coarse: Detections, time_s: float) -> "Tracks":
        """[P] people seen for the first time, at rest, as `coarse` has them."""
        count = len(coarse)
        return Tracks(
            seen_s=np.full(count, time_s),
            coarse=coarse,
            velocity_px_s=np.zeros((count, 2)),
            pose=coarse,
            stage=np.full(count, COARSE, np.intp),
            refreshed_s=np.zeros(count),
            coarse_at_refresh_mm=coarse.rel_mm,
            occlusion_at_refresh=np.zeros(count),
            offset_px=np.zeros((count, JOINTS, 2)),
            offset_mm=np.zeros((count, JOINTS, 3)),
            offset_depth=np.zeros(count),
            interval_s=np.full(count, UNTRIED_INTERVAL_S),
            refreshes=np.zeros(count, np.intp),
            frames=np.zeros(count, np.intp),
            accumulated_mm=np.zeros(count),
        )


def _concatenated(one: Any, other: Any) -> Any:
    if isinstance(one, Detections):
        return concatenated([one, other])
    return np.concatenate([one, other])


@dataclass(frozen=True, slots=True, eq=False)
class TrackPrediction:
    """What a stream's memory predicts for the P people whom `coarse` found in a frame."""

    temporal: TemporalFeatures
    """[P] columns of the routing table."""
    propagated: Detections
    """[P] earlier estimates moved to this frame, refined or else coarse; the coarse detection where there is none."""
    expected_mm: Floats
    """[P] expected distance of `propagated` from a fresh refined estimate; 0 where it is not refined."""
    stage: Indices
    """[P] the stage that `propagated` is from; `COARSE` where it is not refined."""
    needs_refresh: Mask
    """[P] to be routed like the people of a single picture. The others are answered by `propagated` or by `coarse`."""
    frames: Indices
    """[P] answered by the refined estimate since its frame, this one included; 0 where there is none."""
    inputs: Floats
    """[P, F] of the deviation model; 0 where there is no refined estimate."""
    extra_mm: Floats
    """[P] error that propagation is expected to add in this frame, see `refresh.propagation_cost_mm`."""
    accumulated_mm: Floats
    """[P] the same, summed over the frames since the refinement, without this one."""
    target_mm: float
    """See `Options.reuse_target_mm`."""
    tracks: Tracks
    """[K] the tracks before this frame; none after a cut."""
    track_index: Indices
    """[P] the row in `tracks` of each person; -1: new."""
    occlusion: Floats
    """[P] share of the box that another person covers. Unmatched detections do not count: most of them are duplicate
    detections."""
    thumbnail: Floats
    """[9, 16] of the frame, see `association.thumbnail`."""
    isolate_frame: bool
    """The frame is answered without anything from earlier frames."""

    @property
    def has(self) -> Mask:
        """[P] where there is a refined estimate to reuse."""
        return np.asarray(self.stage != COARSE)

    @property
    def coarse_only(self) -> Mask:
        """[P] whose track was answered by `coarse`."""
        known = np.flatnonzero(self.track_index >= 0)
        coarse_only = np.zeros(len(self.track_index), bool)
        coarse_only[known] = self.tracks.stage[self.track_index[known]] == COARSE
        return coarse_only

    def stages(self) -> list[Stage]:
        """[P] `stage` by name."""
        return [STAGES[place] for place in self.stage]
