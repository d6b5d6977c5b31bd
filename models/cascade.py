"""The cascade: a frame in, people out, deeper looks only where they pay.

`Cascade.steps` is the whole of it, without any input or output: a generator that asks its driver to run a stage on a
batch and is sent the stage's outputs. `Cascade.predict` drives it on the spot; the service drives many at once and
merges their batches.
"""

import time
from collections.abc import Callable, Generator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.arrays import Image, Indices
from models.camera import assumed
from models.crops import person_window
from models.errors import DeepStagesSkipped, StageDown
from models.finding import Finder
from models.looks import (
    Looks,
    astray,
    boxes_in_frame,
    from_outputs,
    with_second_opinion,
    with_steadier_depth,
)
from models.manifest import WEIGHTS, Manifest, load_manifest
from models.options import MAX_TILES, Options, Quality
from models.progress import Progress
from models.questions import blank_questions, questions
from models.records import Camera, Frame, Person, Stage, Stop
from models.regions import Tile
from models.reuse.memory import Memory
from models.reuse.recall import Recall
from models.reuse.worth import SERVES
from models.routers import AlwaysPolicy, NeverPolicy, Past, Policy, Pressure
from models.routers.pressure import SHED
from models.runners import Runner, StageBatch, load_runner

Outputs = Mapping[str, NDArray[Any]]
Steps = Generator[StageBatch, Outputs, Frame]
Clock = Callable[[], float]

STREAM_SHARE = 2
"""Of the bound of a plainly balanced picture, for a frame of a stream: room for both looks at somebody. Since most
frames carry what they have, a stream's mean stays about the bound of a picture."""


class Cascade:
    """The three stages, the router between them, and what the manifest knows of both."""

    def __init__(self, manifest: Manifest, runners: Mapping[Stage, Runner]):
        self.manifest, self.runners = manifest, runners
        self._policies = manifest.calibration.policies

    @classmethod
    def load(cls, weights: Path = WEIGHTS, *, runtime: str = "onnxruntime", threads: int = 2) -> "Cascade":
        """The cascade of a weights folder.

        Raises:
            ManifestError: the folder's files do not fit together.
            RunnerError: the runtime cannot run here.
        """
        manifest = load_manifest(weights)
        runners = {
            stage: load_runner(stage, manifest.path(stage), runtime=runtime, threads=threads,
                               sizes_hw=spec.input_sizes_hw, buckets=spec.batch_buckets)
            for stage, spec in manifest.stages.items()
        }
        return cls(manifest, runners)

    @property
    def policies(self) -> tuple[str, ...]:
        """Names that `Options.policy` may take, the default first."""
        return tuple(self._policies)

    def warm_up(self) -> None:
        """Runs every input size and batch bucket once, so that no request pays for a first time."""
        coarse = self.manifest.stages[Stage.COARSE]
        for height, width in coarse.input_sizes_hw:
            self.runners[Stage.COARSE].run({"image_bgr": np.zeros((1, height, width, 3), np.uint8),
                                            "intrinsics": np.array([[500, 500, width / 2, height / 2]], np.float32)})
        for stage in (Stage.REFINE, Stage.EXPERT):
            for bucket in self.manifest.stages[stage].batch_buckets:
                self.runners[stage].run(blank_questions(bucket, self.manifest.stages[stage].input_sizes_hw[0]))

    def predict(self, image_bgr: Image, options: Options | None = None, *, memory: Memory | None = None,
                **changes: Any) -> Frame:
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
        steps = self.steps(image_bgr, replace(options or Options(), **changes), memory=memory)
        try:
            batch = next(steps)
            while True:
                try:
                    outputs = self.runners[batch.stage].run(batch.inputs)
                except StageDown as error:
                    batch = steps.throw(error)
                else:
                    batch = steps.send(outputs)
        except StopIteration as done:
            frame: Frame = done.value
            return frame

    def close(self) -> None:
        """Frees the runners."""
        for runner in self.runners.values():
            runner.close()

    def policy_of(self, options: Options, *, lasting: bool = False) -> tuple[Policy, float]:
        """The policy and the price that the settings come to.

        Args:
            lasting: a look serves the frames after this one too, so that a plainly balanced frame may pay more for it.

        Raises:
            ValueError: no such policy.
        """
        calibration = self.manifest.calibration
        name = options.policy or self.policies[0]
        if name not in self._policies:
            raise ValueError(f"policy must be one of {', '.join(self.policies)}, got {name!r}")
        if options.price is not None:
            return self._policies[name], options.price
        if options.max_extra_error_mm is not None:
            price = calibration.price_for(options.max_extra_error_mm)
            promising = self._policies[self.policies[0]]  # of no other policy is anything known
            return (promising, price) if price > 0 else (AlwaysPolicy(), 0.0)
        corners: dict[Quality, Policy] = {Quality.FAST: NeverPolicy(), Quality.BEST: AlwaysPolicy()}
        if options.policy is None and options.quality in corners:
            return corners[options.quality], 0.0
        serves = SERVES if lasting and not options.dialled else 1
        return self._policies[name], calibration.balanced_price / serves

    def budget_of(self, options: Options, *, lasting: bool = False) -> float:
        """Time for the deeper stages of a frame: what was asked for, else the bound of a plainly balanced frame.

        Args:
            lasting: as above; most frames of a stream carry looks and need little of their time.
        """
        if options.budget_ms is not None:
            return options.budget_ms
        plain = options.quality is Quality.BALANCED and not options.dialled
        bound = self.manifest.calibration.balanced_budget_ms * (STREAM_SHARE if lasting else 1)
        return bound if plain else np.inf

    def tiles_of(self, options: Options, pressure: Pressure) -> int:
        """Tiles that may be looked at again: what was asked for, else all at `best` and none otherwise, in the time.

        One tile costs more than all deeper looks of a balanced frame may, and nobody has set a price on people missed.
        They are the first to go under load.
        """
        plainly = MAX_TILES if options.quality is Quality.BEST and not options.dialled else 0
        asked = plainly if options.tiles is None else options.tiles
        if pressure.price > 0:
            return 0
        time_ms = min(pressure.left_ms, options.budget_ms or np.inf)
        return int(min(asked, time_ms / self.manifest.stages[Stage.COARSE].cost_ms))

    def steps(self, image_bgr: Image, options: Options, *, pressure: Callable[[], Pressure] = Pressure,
              clock: Clock = time.perf_counter, memory: Memory | None = None) -> Steps:
        """The cascade of one frame, as a generator of the batches that it needs run.

        The driver sends each batch's outputs back, or throws `StageDown` (a deep stage: people keep what they have;
        coarse: passes through) or `DeepStagesSkipped`. `pressure` is asked at each decision.
        With the `memory` of a stream, told of the frame's time, people whose deep look is still good keep it unasked;
        where a look that is due does not come, it is kept too.

        Raises:
            ValueError: a setting does not fit this frame or this manifest.
        """
        lasting = memory is not None and options.reuse_target_mm != 0
        policy, price = self.policy_of(options, lasting=lasting)
        whole = image_bgr.shape[1], image_bgr.shape[0]
        camera = options.camera or assumed(*whole)
        began = clock()
        timing = dict.fromkeys((*map(str, Stage), "route", "other"), 0.0)
        tiles = self.tiles_of(options, pressure())
        looks = yield from self._first_look(image_bgr, options, camera, tiles, timing, clock)
        people = Progress(looks, looks, [Stage.COARSE] * len(looks), depth_ms=[0.0] * len(looks))
        recalling = clock()
        recall = None if memory is None else memory.recall(
            image_bgr, looks, self.manifest.calibration.reuse, target_mm=options.reuse_target_mm or None,
            deep=not isinstance(policy, NeverPolicy), spare=_spares(options, policy),
            alone=options.reuse_target_mm == 0)
        if recall is not None:
            resting, unworthy = (np.flatnonzero(~recall.due & has) for has in (recall.has, ~recall.has))
            people.reuse(resting, recall)
            people.stop |= dict.fromkeys(map(int, resting), Stop.REUSED)
            people.stop |= dict.fromkeys(map(int, unworthy), Stop.GAIN_BELOW_PRICE)
        timing["route"] += 1000 * (clock() - recalling)
        past = Past.unknown(len(looks)) if recall is None else recall.past
        budget = self.budget_of(options, lasting=lasting)
        cost_ms = {stage: spec.cost_ms for stage, spec in self.manifest.stages.items()}
        for stage in (Stage.COARSE, Stage.REFINE):
            routing = clock()
            table = people.table(stage, past, whole, cost_ms=cost_ms, price=price, budget_ms=budget)
            rows = table.who
            chosen = pressure().decide(policy, self._policies[self.policies[0]], table)
            people.stop |= {int(rows[row]): why for row, why in chosen.stop.items()}
            people.degraded |= {int(rows[row]) for row, why in chosen.stop.items() if why in SHED}
            timing["route"] += 1000 * (clock() - routing)
            for deeper, picked in ((Stage.REFINE, chosen.refine), (Stage.EXPERT, chosen.expert)):
                if len(picked):
                    before = timing[deeper]
                    yield from self._look_again(image_bgr, camera, people, rows[picked], deeper, timing, clock)
                    budget -= timing[deeper] - before
        for row in range(len(people.stage)):
            people.stop.setdefault(row, Stop.DEEPEST)
        if memory is not None and recall is not None:
            self._remember(memory, recall, people)
        frame = self._frame(people, camera, *whole, timing)
        timing["other"] = 1000 * (clock() - began) - sum(timing.values()) + timing["other"]
        return frame

    def _remember(self, memory: Memory, recall: Recall, people: Progress) -> None:
        """Whoever was due and got no deeper look keeps the carried one; the memory learns what was answered."""
        spared = [row for row in map(int, np.flatnonzero(recall.has)) if people.stage[row] is Stage.COARSE]
        people.reuse(np.array(spared, np.intp), recall)
        for row in spared:
            if row not in people.degraded:
                people.stop[row] = Stop.REUSED
        held = np.array([row in people.reused for row in range(len(people.stage))], bool)
        people.looks = memory.learn(recall, people.first, people.looks, people.stage, held)

    def _first_look(self, image_bgr: Image, options: Options, camera: Camera, at_most_tiles: int,
                    timing: dict[str, float], clock: Clock) -> Generator[StageBatch, Outputs, Looks]:
        least = options.min_score if options.min_score is not None else self.manifest.min_score
        finder = Finder(image_bgr, camera, self.manifest, least, clock)
        looks = yield from finder.find(_region(image_bgr, options), at_most_tiles)
        timing[Stage.COARSE] += finder.spent_ms
        return looks[np.arange(min(len(looks), options.max_people))]

    def _look_again(self, image_bgr: Image, camera: Camera, people: Progress, rows: Indices, stage: Stage,
                    timing: dict[str, float], clock: Clock) -> Generator[StageBatch, Outputs, None]:
        began = clock()
        told, before = people.first[rows], people.looks[rows]
        size_hw = self.manifest.stages[stage].input_sizes_hw[0]
        windows = [person_window(px, image_bgr.shape[1], image_bgr.shape[0], size_hw) for px in told.joints_px]
        try:
            outputs = yield StageBatch(stage, questions(image_bgr, camera, told, windows, size_hw))
        except (StageDown, DeepStagesSkipped) as error:
            reason = error.reason if isinstance(error, DeepStagesSkipped) else Stop.STAGE_FAILED
            people.stop |= {int(row): reason for row in rows}
            people.degraded |= {int(row) for row in rows}
            return
        said = from_outputs(outputs, windows, stage, self.manifest.calibration)
        sound = said.sound  # a broken answer is dropped like one about somebody else, before it is reckoned with
        said = said.replaced(np.flatnonzero(~sound), before[np.flatnonzero(~sound)])
        again = np.array([people.stage[row] is not Stage.COARSE for row in rows])
        deeper = people.looks.replaced(rows, with_second_opinion(with_steadier_depth(said, before), before, again))
        lost = np.union1d(astray(people.looks.joints_px, deeper.joints_px, rows[sound]), rows[~sound])
        people.stop |= {int(row): Stop.DEEPEST for row in lost}
        people.looks = deeper.replaced(lost, people.looks[lost])
        spent = 1000 * (clock() - began)
        timing[stage] += spent
        for row in map(int, rows):
            people.depth_ms[row] += spent / len(rows)
        for row in map(int, np.setdiff1d(rows, lost)):
            people.stage[row] = stage

    def _frame(self, people: Progress, camera: Camera, width: int, height: int, timing: dict[str, float]) -> Frame:
        box = boxes_in_frame(people.looks.joints_px, width, height)
        return Frame(width, height, camera, tuple(
            Person(pose=people.looks.pose(row, camera), score=float(people.looks.score[row]), box_xywh_px=box[row],
                   stage=people.stage[row], stop=people.stop[row], depth_ms=people.depth_ms[row],
                   degraded=row in people.degraded, reused_frames=people.reused.get(row, 0))
            for row in map(int, by_score(people.looks))), timing)


def by_score(looks: Looks) -> Indices:
    """[P] rows in the order in which a frame has its people: the surest first."""
    return np.argsort(-looks.score, kind="stable")


def _spares(options: Options, policy: Policy) -> bool:
    """Whether a carried look may stand in for a fresh one: where a target is set, and else wherever looks are weighed
    at all. Who asks for everybody's deepest look gets it in every frame."""
    return options.reuse_target_mm is not None or not isinstance(policy, AlwaysPolicy)


def _region(image_bgr: Image, options: Options) -> Tile:
    """The part of the frame to look at."""
    height, width = image_bgr.shape[:2]
    if options.region_xywh_px is None:
        return Tile(0, 0, width, height)
    x, y, w, h = options.region_xywh_px
    if x + w > width or y + h > height:
        raise ValueError(f"region {x:g},{y:g},{w:g},{h:g} leaves the frame of {width} x {height} pixels")
    return Tile(int(x), int(y), max(1, round(x + w) - int(x)), max(1, round(y + h) - int(y)))
