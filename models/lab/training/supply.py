"""Batches for a head: people in rendered pictures, in real photos, and simulated from motion capture."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from posecascade.models.lab.networks.coarse import CoarseStage
from posecascade.models.lab.networks.crop import CropStage
from posecascade.models.lab.networks.lifter import contract_outputs
from posecascade.models.lab.networks.readout import Reading
from posecascade.models.lab.training.losses import Target, Weights, losses, target_of
from posecascade.models.lab.training.readings import reading_of
from posecascade.models.lab.training.recipe import Optimiser
from posecascade.models.lab.training.simulate import Cameras, Habits, Scene, through
from posecascade.models.lab.training.survivors import CANDIDATES, Gate

Table = dict[str, Tensor]


@dataclass(frozen=True, slots=True)
class Batch:
    """M people for one step."""

    reading: Reading
    intrinsics: Tensor
    target: Target


@dataclass(frozen=True, slots=True)
class Earlier:
    """A stage that comes before, and what it read of the very people that this stage read (row for row)."""

    stage: CoarseStage | CropStage
    habits: Habits


class Supply:
    """Draws mixed batches; all chance comes from one generator."""

    def __init__(
        self,
        rendered: Table,
        photos: Table | None,
        habits: Habits,
        cameras: Cameras,
        earlier: Sequence[Earlier],
        size_hw: tuple[int, int] | None,
        optimiser: Optimiser,
        generator: torch.Generator,
        gate: Gate | None = None,
    ):
        """`gate`: simulated people are mostly those whom it sends on; tables may have a column `chance`, how often
        each row is drawn."""
        self.rendered = rendered
        self.photos = photos
        self.habits = habits
        self.cameras = cameras
        self.earlier = earlier
        self.size_hw = size_hw
        self.optimiser = optimiser
        self.generator = generator
        self.gate = gate

    def draw(self) -> Batch:
        """The next batch."""
        o = self.optimiser
        simulated = round(o.batch * o.simulated)
        real = 0 if self.photos is None else round(o.batch * o.photos)
        parts = [
            self._seen(self.rendered, o.batch - simulated - real),
            self._simulated(simulated),
        ]
        if self.photos is not None:
            parts.append(self._seen(self.photos, real))
        return _joined(parts)

    def _seen(self, table: Table, count: int) -> Batch:
        if "chance" in table:
            rows = torch.multinomial(
                table["chance"], count, replacement=True, generator=self.generator
            )
        else:
            rows = torch.randint(
                len(table["is_person"]), (count,), generator=self.generator
            )
        return Batch(
            reading_of(table, rows),
            table["intrinsics"][rows].float(),
            target_of(table, rows),
        )

    def _simulated(self, count: int) -> Batch:
        person_index, scene = self._people(count)
        passes = self.earlier[: self._depth()]
        for earlier, size_hw in zip(passes, self._sizes_hw(passes), strict=True):
            with torch.no_grad():
                reading = earlier.habits.read(scene, person_index)
                body = earlier.stage.head(reading, scene.intrinsics)
            scene = through(contract_outputs(body)["joints_px"], scene, size_hw)
        reading = self.habits.read(scene, person_index)
        return Batch(reading, scene.intrinsics, scene.target)

    def _people(self, count: int) -> tuple[Tensor, Scene]:
        """Whose habits are taken, [count], and the bodies that take them."""
        drawn = count if self.gate is None else CANDIDATES * count
        person_index = torch.randint(
            len(self.habits.scores), (drawn,), generator=self.generator
        )
        habits = self.earlier[0].habits if self.earlier else self.habits
        scene = self.cameras.draw(habits, person_index)
        if self.gate is None:
            return person_index, scene
        reading = habits.read(scene, person_index)
        sent = self.gate.sends(reading, scene.intrinsics, scene.target.inside)
        rows = self.gate.chosen(sent, count)
        return person_index[rows], scene.of(rows)

    def _sizes_hw(self, passes: Sequence[Earlier]) -> list[tuple[int, int]]:
        """Of the window that follows each of these stage passes."""
        sizes_hw: list[tuple[int, int]] = []
        for earlier in passes[1:]:
            if isinstance(earlier.stage, CropStage):
                sizes_hw.append(earlier.stage.size_hw)
        return sizes_hw if self.size_hw is None else [*sizes_hw, self.size_hw]

    def _depth(self) -> int:
        """Number of earlier stages that are passed: a stage may be skipped."""
        if not self.earlier:
            return 0
        return 1 + int(torch.randint(len(self.earlier), (1,), generator=self.generator))


def head_terms(
    supply: Supply, weights: Weights, device: torch.device
) -> Callable[[nn.Module], dict[str, Tensor]]:
    """The losses of a head on the supply's next batch."""

    def terms(head: nn.Module) -> dict[str, Tensor]:
        batch = on(supply.draw(), device)
        with torch.autocast("cuda", torch.bfloat16, enabled=device.type == "cuda"):
            body = head(batch.reading, batch.intrinsics)
        return losses(body, batch.target, weights)

    return terms


def people_only(table: Table) -> Table:
    """The rows that are of people."""
    rows = table["is_person"] > 0
    return {name: values[rows] for name, values in table.items()}


def _joined(parts: Sequence[Batch]) -> Batch:
    return Batch(
        reading=Reading(*_stacked([part.reading for part in parts])),
        intrinsics=torch.cat([part.intrinsics for part in parts]),
        target=Target(*_stacked([part.target for part in parts])),
    )


def _stacked(records: Sequence[tuple[Tensor, ...]]) -> list[Tensor]:
    """Each column of several records, one below the other."""
    return [torch.cat(columns) for columns in zip(*records, strict=True)]


def on(batch: Batch, device: torch.device) -> Batch:
    """The batch on a device."""

    def put(value: Tensor) -> Tensor:
        return value.to(device, non_blocking=True)

    return Batch(
        reading=Reading(*map(put, batch.reading)),
        intrinsics=put(batch.intrinsics),
        target=Target(*map(put, batch.target)),
    )


def habits_of(tables: Sequence[Table], generator: torch.Generator) -> list[Habits]:
    """How each stage reads the same people, stage by stage: those of rendered pictures, and as many steady ones."""
    first = Habits.of(people_only(tables[0]))
    log_spread = torch.empty(len(first.scores)).uniform_(
        math.log(0.01), math.log(0.06), generator=generator
    )
    spread = torch.exp(log_spread)
    habits: list[Habits] = []
    for table in tables:
        own = Habits.of(people_only(table))
        before = habits[-1] if habits else None
        habits.append(own.and_steady(spread, before, generator))
    return habits
