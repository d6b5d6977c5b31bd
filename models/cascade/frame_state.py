"""The people of one frame while the cascade works on them: current estimate, stage and stop reason of each."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from posecascade.models.arrays import Indices, Mask
from posecascade.models.detections import Detections
from posecascade.models.keypoints import (
    box_heights,
    box_occlusion,
    box_scales,
    boxes_in_frame,
    pose_change,
    truncation,
)
from posecascade.models.policies import Decision, RoutingTable, TemporalFeatures
from posecascade.models.policies.load import LOAD_SHEDDING_STOPS
from posecascade.models.records import Camera, Frame, Person, Stage, Stop
from posecascade.models.tracking.reuse.propagation import widened
from posecascade.models.tracking.reuse.tracks import TrackPrediction


@dataclass(slots=True)
class FrameState:
    """One row a person. Only `Cascade.steps` changes it, through the verbs below."""

    width: int
    height: int
    camera: Camera
    coarse: Detections
    """Estimates of `coarse`: the prior of every deeper stage, so that two of them err independently."""
    detections: Detections
    """The current estimates."""
    stage: list[Stage]
    """The stage that gave each current estimate."""
    depth_ms: list[float]
    """Time spent on each person beyond `coarse`."""
    stop: dict[int, Stop] = field(default_factory=dict)
    """Why a person goes no deeper; rows that are missing are undecided."""
    degraded: set[int] = field(default_factory=set)
    reused_frames: dict[int, int] = field(default_factory=dict)
    """Frames that the reused estimate has served, of those who are answered by one."""

    @classmethod
    def start(
        cls, coarse: Detections, camera: Camera, size_wh_px: tuple[int, int]
    ) -> "FrameState":
        """Everybody as `coarse` found them, undecided."""
        count = len(coarse)
        return cls(
            width=size_wh_px[0],
            height=size_wh_px[1],
            camera=camera,
            coarse=coarse,
            detections=coarse,
            stage=[Stage.COARSE] * count,
            depth_ms=[0.0] * count,
        )

    def __len__(self) -> int:
        return len(self.stage)

    def undecided(self, stage: Stage) -> Indices:
        """Rows of those whose estimate is of `stage` and who have not stopped."""
        rows = [
            row
            for row, last_stage in enumerate(self.stage)
            if last_stage is stage and row not in self.stop
        ]
        return np.array(rows, np.intp)

    def stop_at(self, rows: Iterable[int] | Indices, reason: Stop) -> None:
        """These people go no deeper."""
        for row in rows:
            self.stop[int(row)] = reason

    def skip(self, rows: Indices, reason: Stop) -> None:
        """A deeper pass was due for these people and did not come."""
        self.stop_at(rows, reason)
        self.degraded.update(int(row) for row in rows)

    def apply(self, decision: Decision, rows: Indices) -> None:
        """Takes over the stops of a decision about the people `rows`."""
        for place, reason in decision.stop.items():
            row = int(rows[place])
            self.stop[row] = reason
            if reason in LOAD_SHEDDING_STOPS:
                self.degraded.add(row)

    def reuse(self, rows: Indices, prediction: TrackPrediction) -> None:
        """Answers these people with their propagated estimates."""
        propagated = prediction.propagated[rows]
        widened_sigma = widened(propagated, prediction.expected_mm[rows])
        self.detections = self.detections.replaced(rows, widened_sigma)
        stages = prediction.stages()
        for row in map(int, rows):
            self.stage[row] = stages[row]
            self.reused_frames[row] = int(prediction.frames[row])

    def refine(
        self, rows: Indices, stage: Stage, refined: Detections, lost: Indices
    ) -> None:
        """Takes over the estimates of a deeper stage.

        Args:
            rows: [K] who was sent to it.
            stage: the stage.
            refined: [P] everybody, with its estimates in `rows`.
            lost: those of `rows` who keep what they had: the answer was broken, or of another person.
        """
        self.stop_at(lost, Stop.DEEPEST)
        self.detections = refined.replaced(lost, self.detections[lost])
        for row in map(int, np.setdiff1d(rows, lost)):
            self.stage[row] = stage

    def charge(self, rows: Indices, spent_ms: float) -> None:
        """Shares the time of a stage pass among its people."""
        for row in map(int, rows):
            self.depth_ms[row] += spent_ms / len(rows)

    @property
    def is_reused(self) -> Mask:
        """[P] answered by a propagated estimate."""
        return np.array([row in self.reused_frames for row in range(len(self))], bool)

    def routing_table(
        self,
        stage: Stage,
        temporal: TemporalFeatures,
        *,
        cost_ms: Mapping[Stage, float],
        price: float,
        budget_ms: float,
    ) -> RoutingTable:
        """Features of the people who are undecided after `stage`; `person_index` has their rows.

        Args:
            stage: the last one that saw them.
            temporal: of everybody in the frame.
            cost_ms: of one more person at each stage.
            price: minimum gain in mm for each millisecond.
            budget_ms: left for the deeper stages.
        """
        rows = self.undecided(stage)
        current = self.detections[rows]
        coarse = self.coarse[rows]
        occlusion = box_occlusion(self.detections.joints_px)
        change_mm = np.linalg.norm(current.rel_mm - coarse.rel_mm, axis=-1)
        return RoutingTable(
            stage=stage,
            expected_error_mm=current.expected_error_mm,
            worst_sigma_mm=current.sigma_mm.max(1, initial=0.0),
            sigma_spread=np.log(np.maximum(current.sigma_mm, 1e-3)).std(1),
            score=current.score,
            mean_joint_score=current.joint_scores.mean(1),
            size_px=box_scales(current.joints_px),
            height_px=box_heights(current.joints_px),
            truncated=truncation(current.joints_px, self.width, self.height),
            overlap=occlusion[rows],
            disagreement=current.disagreement,
            pose_change=pose_change(coarse.joints_px, current.joints_px),
            pose_change_mm=change_mm.mean(1),
            temporal=temporal.of(rows),
            cost_ms=dict(cost_ms),
            price=price,
            budget_ms=budget_ms,
            person_index=rows,
        )

    def to_frame(self, timing_ms: dict[str, float]) -> Frame:
        """The answer, highest score first."""
        boxes = boxes_in_frame(self.detections.joints_px, self.width, self.height)
        people = tuple(
            Person(
                pose=self.detections.pose(row, self.camera),
                score=float(self.detections.score[row]),
                box_xywh_px=boxes[row],
                stage=self.stage[row],
                stop=self.stop.get(row, Stop.DEEPEST),
                depth_ms=self.depth_ms[row],
                degraded=row in self.degraded,
                reused_frames=self.reused_frames.get(row, 0),
            )
            for row in map(int, by_score(self.detections))
        )
        return Frame(self.width, self.height, self.camera, people, timing_ms)


def by_score(detections: Detections) -> Indices:
    """[P] rows in the order in which a frame has its people: highest score first."""
    return np.argsort(-detections.score, kind="stable")
