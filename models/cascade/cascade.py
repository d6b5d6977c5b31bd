"""The cascade: a frame in, people out, deeper stages only where they are worth their time.

`Cascade.steps` has no input or output of its own: it is a generator that yields the stage batches that it needs run and
is sent their outputs. `Cascade.predict` drives it on the spot; the service drives many at once and merges their
batches.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from posecascade.models.arrays import Image, Indices
from posecascade.models.camera import assumed
from posecascade.models.cascade.detector import CoarseDetector
from posecascade.models.cascade.drive import Steps, drive
from posecascade.models.cascade.frame_state import FrameState
from posecascade.models.cascade.operating_point import OperatingPoint, allowed_tiles
from posecascade.models.cascade.stage_inputs import crop_inputs, dummy_inputs
from posecascade.models.cascade.stage_outputs import from_outputs
from posecascade.models.cascade.tiles import Tile
from posecascade.models.cascade.timing import Clock, FrameTimer
from posecascade.models.crops import person_window
from posecascade.models.detections import (
    Detections,
    average_with_previous_stage,
    blend_root_depth,
)
from posecascade.models.errors import DeepStagesSkipped, StageDown
from posecascade.models.keypoints import identity_switches
from posecascade.models.manifest import WEIGHTS, Manifest, load_manifest
from posecascade.models.options import Options, Quality
from posecascade.models.policies import (
    AlwaysPolicy,
    Decision,
    LoadState,
    NeverPolicy,
    Policy,
    TemporalFeatures,
)
from posecascade.models.records import Frame, Stage, Stop
from posecascade.models.runners import Runner, StageBatch, load_runner
from posecascade.models.tracking.reuse.memory import Memory
from posecascade.models.tracking.reuse.tracks import TrackPrediction


class Cascade:
    """The three stages, the router between them, and what the manifest knows of both."""

    def __init__(self, manifest: Manifest, runners: Mapping[Stage, Runner]):
        self.manifest = manifest
        self.runners = runners

    @classmethod
    def load(
        cls, weights: Path = WEIGHTS, *, runtime: str = "onnxruntime", threads: int = 2
    ) -> "Cascade":
        """The cascade of a weights folder.

        Raises:
            ManifestError: the folder's files do not fit together.
            RunnerError: the runtime cannot run here.
        """
        manifest = load_manifest(weights)
        runners = {
            stage: load_runner(
                stage,
                manifest.path(stage),
                runtime=runtime,
                threads=threads,
                sizes_hw=spec.input_sizes_hw,
                buckets=spec.batch_buckets,
            )
            for stage, spec in manifest.stages.items()
        }
        return cls(manifest, runners)

    @property
    def policies(self) -> tuple[str, ...]:
        """Names that `Options.policy` may take, the default first."""
        return tuple(self.manifest.calibration.policies)

    def warm_up(self) -> None:
        """Runs every input size and batch bucket once, so that no request pays for a first time."""
        coarse = self.manifest.stages[Stage.COARSE]
        for height, width in coarse.input_sizes_hw:
            self.runners[Stage.COARSE].run(
                {
                    "image_bgr": np.zeros((1, height, width, 3), np.uint8),
                    "intrinsics": np.array(
                        [[500, 500, width / 2, height / 2]], np.float32
                    ),
                }
            )
        for stage in (Stage.REFINE, Stage.EXPERT):
            for bucket in self.manifest.stages[stage].batch_buckets:
                self.runners[stage].run(
                    dummy_inputs(bucket, self.manifest.stages[stage].input_sizes_hw[0])
                )

    def predict(
        self,
        image_bgr: Image,
        options: Options | None = None,
        *,
        memory: Memory | None = None,
        **changes: Any,
    ) -> Frame:
        """The people of a picture [H, W, 3] uint8.

        Args:
            image_bgr: blue-green-red.
            options: settings; by default all of the defaults.
            memory: of the stream that the picture is a frame of, see `steps`.
            changes: fields of `Options` by name, such as `quality="best"`.

        Raises:
            ValueError: a setting is out of range; the message names it.
            StageDown: the coarse stage failed.
        """
        if "quality" in changes:
            changes["quality"] = Quality(changes["quality"])
        settings = replace(options or Options(), **changes)
        steps = self.steps(image_bgr, settings, memory=memory)
        return drive(steps, self.run_stage)

    def run_stage(self, batch: StageBatch) -> Mapping[str, Any]:
        """Outputs of a batch, run here and now.

        Raises:
            StageDown: the runtime failed.
        """
        return self.runners[batch.stage].run(batch.inputs)

    def close(self) -> None:
        """Frees the runners."""
        for runner in self.runners.values():
            runner.close()

    def operating_point(
        self, options: Options, *, in_stream: bool = False
    ) -> OperatingPoint:
        """What the settings come to with these weights, see `OperatingPoint.of`."""
        return OperatingPoint.of(
            options, self.manifest.calibration, in_stream=in_stream
        )

    def steps(
        self,
        image_bgr: Image,
        options: Options,
        *,
        load_state: Callable[[], LoadState] = LoadState,
        clock: Clock = time.perf_counter,
        memory: Memory | None = None,
    ) -> Steps[Frame]:
        """The cascade of one frame, as a generator of the batches that it needs run.

        The driver sends each batch's outputs back, or throws `StageDown` (a deep stage: people keep their estimates;
        coarse: passes through) or `DeepStagesSkipped`. `load_state` is read before each decision.
        With the `memory` of a stream, which knows the frame's time, people whose propagated estimate is still good keep
        it; they also keep it where a refresh that is due does not come.

        Raises:
            ValueError: a setting does not fit this frame or this manifest.
        """
        run = _FrameRun(self, image_bgr, options, load_state, FrameTimer(clock), memory)
        state = yield from run.detect()
        prediction = run.predict_tracks(state)
        for stage in (Stage.COARSE, Stage.REFINE):
            rows, decision = run.route(state, stage, prediction)
            yield from run.refine(state, Stage.REFINE, rows[decision.refine])
            yield from run.refine(state, Stage.EXPERT, rows[decision.expert])
        run.update_tracks(state, prediction)
        return self.frame_of(state, run.timer)

    def frame_of(self, state: FrameState, timer: FrameTimer) -> Frame:
        """The answer of a frame that all stages are done with."""
        frame = state.to_frame({})
        return replace(frame, timing_ms=timer.total())


class _FrameRun:
    """One frame on its way through the cascade: its settings, picture and remaining budget."""

    def __init__(
        self,
        cascade: Cascade,
        image_bgr: Image,
        options: Options,
        load_state: Callable[[], LoadState],
        timer: FrameTimer,
        memory: Memory | None,
    ) -> None:
        in_stream = memory is not None and options.reuse_target_mm != 0
        operating_point = cascade.operating_point(options, in_stream=in_stream)
        stages = cascade.manifest.stages
        self.timer = timer
        self._manifest = cascade.manifest
        self._image_bgr = image_bgr
        self._size_wh_px = image_bgr.shape[1], image_bgr.shape[0]
        self._camera = options.camera or assumed(*self._size_wh_px)
        self._options = options
        self._load_state = load_state
        self._memory = memory
        self._policy = operating_point.policy
        self._price = operating_point.price
        self._budget_ms = operating_point.budget_ms
        self._cost_ms = {stage: spec.cost_ms for stage, spec in stages.items()}

    def detect(self) -> Steps[FrameState]:
        """Everybody in the frame, by `coarse` on the whole of it and on tiles."""
        options = self._options
        max_tiles = allowed_tiles(
            options, self._load_state(), self._cost_ms[Stage.COARSE]
        )
        min_score = options.min_score
        if min_score is None:
            min_score = self._manifest.min_score
        detector = CoarseDetector(
            self._image_bgr, self._camera, self._manifest, min_score, self.timer.now_s
        )
        region = _region(self._size_wh_px, options)
        found = yield from detector.detect(region, max_tiles)
        self.timer.add(Stage.COARSE, detector.spent_ms)
        best = np.arange(min(len(found), options.max_people))
        return FrameState.start(found[best], self._camera, self._size_wh_px)

    def predict_tracks(self, state: FrameState) -> TrackPrediction | None:
        """What the stream's memory predicts for these people; those who need no refresh are answered by it."""
        if self._memory is None:
            return None
        target_mm = self._options.reuse_target_mm
        with self.timer.measured("route"):
            prediction = self._memory.predict(
                self._image_bgr,
                state.detections,
                self._manifest.calibration.reuse,
                target_mm=target_mm or None,
                deep_allowed=not isinstance(self._policy, NeverPolicy),
                reuse_allowed=_reuse_allowed(self._options, self._policy),
                isolate_frame=target_mm == 0,
            )
            reused = np.flatnonzero(~prediction.needs_refresh & prediction.has)
            below_gain = np.flatnonzero(~prediction.needs_refresh & ~prediction.has)
            state.reuse(reused, prediction)
            state.stop_at(reused, Stop.REUSED)
            state.stop_at(below_gain, Stop.GAIN_BELOW_PRICE)
        return prediction

    def route(
        self, state: FrameState, stage: Stage, prediction: TrackPrediction | None
    ) -> tuple[Indices, Decision]:
        """Decides who goes deeper after `stage`.

        Returns:
            rows: [K] of those who were undecided.
            decision: about them, in places of `rows`.
        """
        with self.timer.measured("route"):
            if prediction is None:
                temporal = TemporalFeatures.unknown(len(state))
            else:
                temporal = prediction.temporal
            table = state.routing_table(
                stage,
                temporal,
                cost_ms=self._cost_ms,
                price=self._price,
                budget_ms=self._budget_ms,
            )
            default_policy = next(iter(self._manifest.calibration.policies.values()))
            decision = self._load_state().decide(self._policy, default_policy, table)
            state.apply(decision, table.person_index)
        return table.person_index, decision

    def refine(self, state: FrameState, stage: Stage, rows: Indices) -> Steps[None]:
        """Runs a deeper stage on these people and takes its estimates over.

        Where the stage does not answer they keep what they have.
        """
        if not len(rows):
            return
        began_s = self.timer.now_s()
        prior = state.coarse[rows]
        size_hw = self._manifest.stages[stage].input_sizes_hw[0]
        windows = [
            person_window(joints_px, *self._size_wh_px, size_hw)
            for joints_px in prior.joints_px
        ]
        inputs = crop_inputs(self._image_bgr, self._camera, prior, windows, size_hw)
        try:
            outputs = yield StageBatch(stage, inputs)
        except DeepStagesSkipped as error:
            state.skip(rows, error.reason)
            return
        except StageDown:
            state.skip(rows, Stop.STAGE_FAILED)
            return
        answer = from_outputs(outputs, windows, stage, self._manifest.calibration)
        refined, lost = _merge(state, rows, answer)
        state.refine(rows, stage, refined, lost)
        spent_ms = self.timer.since_ms(began_s)
        self.timer.add(stage, spent_ms)
        state.charge(rows, spent_ms)
        self._budget_ms -= spent_ms

    def update_tracks(
        self, state: FrameState, prediction: TrackPrediction | None
    ) -> None:
        """Who needed a refresh that did not come keeps the propagated estimate; the memory learns the answers."""
        if self._memory is None or prediction is None:
            return
        known = map(int, np.flatnonzero(prediction.has))
        not_refreshed = [row for row in known if state.stage[row] is Stage.COARSE]
        state.reuse(np.array(not_refreshed, np.intp), prediction)
        healthy = [row for row in not_refreshed if row not in state.degraded]
        state.stop_at(healthy, Stop.REUSED)
        state.detections = self._memory.update(
            prediction, state.coarse, state.detections, state.stage, state.is_reused
        )


def _merge(
    state: FrameState, rows: Indices, answer: Detections
) -> tuple[Detections, Indices]:
    """The answer of a deeper stage beside the estimates before it.

    Returns:
        refined: [P] everybody, with the merged estimates in `rows`.
        lost: those of `rows` whose answer is broken or shows another person.
    """
    before = state.detections[rows]
    is_sound = answer.sound
    broken = np.flatnonzero(~is_sound)  # replaced before anything is computed from it
    answer = answer.replaced(broken, before[broken])
    was_deep = np.array([state.stage[row] is not Stage.COARSE for row in rows])
    blended = blend_root_depth(answer, before)
    averaged = average_with_previous_stage(blended, before, was_deep)
    refined = state.detections.replaced(rows, averaged)
    switched = identity_switches(
        state.detections.joints_px, refined.joints_px, rows[is_sound]
    )
    return refined, np.union1d(switched, rows[~is_sound])


def _reuse_allowed(options: Options, policy: Policy) -> bool:
    """Whether a propagated estimate may stand in for a fresh one.

    Whoever asks for everybody's deepest estimate gets it in every frame, unless they also set a target of reuse.
    """
    return options.reuse_target_mm is not None or not isinstance(policy, AlwaysPolicy)


def _region(size_wh_px: tuple[int, int], options: Options) -> Tile:
    """The part of the frame that was requested."""
    width, height = size_wh_px
    if options.region_xywh_px is None:
        return Tile(0, 0, width, height)
    x, y, w, h = options.region_xywh_px
    if x + w > width or y + h > height:
        raise ValueError(
            f"region {x:g},{y:g},{w:g},{h:g} leaves the frame of {width} x {height} pixels"
        )
    left = int(x)
    top = int(y)
    return Tile(left, top, max(1, round(x + w) - left), max(1, round(y + h) - top))
