"""Doubles of the cascade and its runners: the same protocols, no weights, people where the test says.

`FakeCascade` looks once at the frame with `coarse`, then sends every person to `refine` and from there to `expert`,
unless the options say `fast` or a driver throws. `FakeRunner` answers at once, or when a test opens its gate.
"""

import threading
import time
from collections.abc import Callable, Generator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from posecascade.models.arrays import Image
from posecascade.models.calibration import Calibration, GuaranteeBasis, OperatingPoint
from posecascade.models.camera import assumed
from posecascade.models.cascade.drive import drive
from posecascade.models.errors import DeepStagesSkipped, StageDown
from posecascade.models.manifest import CONTRACT, Manifest, StageSpec
from posecascade.models.options import Options, Quality
from posecascade.models.policies import LoadState
from posecascade.models.records import Frame, Person, Stage, Stop
from posecascade.models.runners.base import Arrays, StageBatch
from posecascade.models.tracking.reuse.memory import Memory
from tests.standing import standing

DEFAULTS = Options()
CALIBRATION = Calibration(
    {},
    {},
    {},
    balanced_price=1.0,
    balanced_budget_ms=1e9,
    operating_points=(OperatingPoint(1.0, 3.0),),
    guarantee=GuaranteeBasis(0.95, 200.0, 100, 40, "refine and expert"),
    fitted_on="nothing",
)
POLICIES = ("gain", "never", "always")


class FakeRunner:
    """A stage. Its answer to an item is the item's mean, so that mixed-up batches are noticed."""

    provider = "FakeExecutionProvider"

    def __init__(self) -> None:
        self.seen: list[int] = []
        """Items of each batch, in order."""
        self.gate = threading.Event()
        """While closed, `run` waits."""
        self.gate.set()
        self.began = threading.Semaphore(0)
        """Released by each `run` when it begins."""
        self.failing: Exception | None = None
        self.closed = False

    def run(self, batch: Arrays) -> dict[str, NDArray[Any]]:
        first = next(iter(batch.values()))
        self.seen.append(len(first))
        self.began.release()
        if not self.gate.wait(5):
            raise TimeoutError("the test forgot to open the gate")
        if self.failing is not None:
            raise self.failing
        return {"score": first.reshape(len(first), -1).mean(1)}

    def close(self) -> None:
        self.closed = True


def fake_manifest(buckets: tuple[int, ...] = (1, 2, 4, 8)) -> Manifest:
    """What `models/weights/manifest.json` would say."""
    sizes = {
        Stage.COARSE: ((384, 640),),
        Stage.REFINE: ((256, 256),),
        Stage.EXPERT: ((256, 256),),
    }
    stages = {
        stage: StageSpec(
            file=f"{stage}.onnx",
            sha256="0" * 64,
            bytes=1000,
            input_sizes_hw=size,
            outputs=("score",),
            params=1000,
            gmacs=1.0,
            cost_ms=5.0,
            batch_buckets=buckets,
            licence="Apache-2.0",
            origin="a test",
            parity_mm=0.0,
        )
        for stage, size in sizes.items()
    }
    return Manifest(
        name="posecascade",
        version="0.0.0+fake",
        contract=CONTRACT,
        skeleton="cascade25",
        people_slots=32,
        min_score=0.3,
        stages=stages,
        calibration=CALIBRATION,
        weights_sha256="0" * 64,
        folder=Path("nowhere"),
        raw={"calibration": {}},
    )


class FakeCascade:
    """`people` stand in every frame, side by side."""

    policies = POLICIES

    def __init__(self, *, people: int = 2, manifest: Manifest | None = None) -> None:
        self.people = people
        self.manifest = manifest or fake_manifest()
        self.runners: Mapping[Stage, FakeRunner] = {
            stage: FakeRunner() for stage in Stage
        }
        self.warm = self.closed = False
        self.requested: list[Options] = []
        self.pressures: list[LoadState] = []
        """What each frame was told after its first look."""
        self.memories: list[Memory | None] = []
        """That each call was given."""

    def warm_up(self) -> None:
        self.warm = True

    def close(self) -> None:
        self.closed = True
        for runner in self.runners.values():
            runner.close()

    def predict(
        self,
        image_bgr: Image,
        options: Options = DEFAULTS,
        *,
        memory: Memory | None = None,
        **changes: Any,
    ) -> Frame:
        steps = self.steps(image_bgr, replace(options, **changes), memory=memory)
        return drive(steps, lambda batch: self.runners[batch.stage].run(batch.inputs))

    def steps(
        self,
        image_bgr: Image,
        options: Options,
        *,
        load_state: Callable[[], LoadState] = LoadState,
        clock: Callable[[], float] = time.perf_counter,
        memory: Memory | None = None,
    ) -> Generator[StageBatch, dict[str, NDArray[Any]], Frame]:
        self.requested.append(options)
        self.memories.append(memory)
        height, width = image_bgr.shape[:2]
        camera = options.camera or assumed(width, height)
        people = [
            standing((700.0 * i, 0, 4000), camera=camera)
            for i in range(min(self.people, options.max_people))
        ]
        began = clock()
        yield StageBatch(Stage.COARSE, {"image_bgr": image_bgr[None]})
        self.pressures.append(load_state())
        timing_ms = {
            "coarse": (clock() - began) * 1000,
            "route": 0.0,
            "refine": 0.0,
            "expert": 0.0,
            "other": 0.0,
        }
        for stage in (
            () if options.quality is Quality.FAST else (Stage.REFINE, Stage.EXPERT)
        ):
            began = clock()
            people = yield from self._deeper(people, stage)
            timing_ms[stage] = (clock() - began) * 1000
        return Frame(width, height, camera, tuple(people), timing_ms)

    def _deeper(
        self, people: list[Person], stage: Stage
    ) -> Generator[StageBatch, dict[str, NDArray[Any]], list[Person]]:
        if not people or any(person.degraded for person in people):
            return people
        try:
            yield StageBatch(
                stage, {"crop_bgr": np.zeros((len(people), 8, 8, 3), np.uint8)}
            )
        except StageDown:
            return [
                replace(person, stop=Stop.STAGE_FAILED, degraded=True)
                for person in people
            ]
        except DeepStagesSkipped as skipped:
            return [
                replace(person, stop=skipped.reason, degraded=True) for person in people
            ]
        return [replace(person, stage=stage, stop=Stop.DEEPEST) for person in people]
