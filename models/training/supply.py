"""Batches for a head: people read in rendered pictures, in real photos, and simulated from motion capture."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace

import torch
from torch import Tensor, nn

from models.networks.body import outputs
from models.networks.coarse import CoarseStage
from models.networks.crop import CropStage
from models.networks.readout import Reading
from models.training.losses import Target, Weights, losses, target_of
from models.training.readings import reading_of
from models.training.recipe import Optimiser
from models.training.simulate import Cameras, Habits, Scene, through
from models.training.survivors import CANDIDATES, Gate

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
        self.gate = gate
        self.rendered, self.photos, self.cameras, self.earlier = rendered, photos, cameras, earlier
        self.size_hw, self.optimiser, self.generator = size_hw, optimiser, generator
        self.habits = habits

    def draw(self) -> Batch:
        """The next batch."""
        o = self.optimiser
        simulated = round(o.batch * o.simulated)
        real = 0 if self.photos is None else round(o.batch * o.photos)
        parts = [self._seen(self.rendered, o.batch - simulated - real), self._simulated(simulated)]
        if self.photos is not None:
            parts.append(self._seen(self.photos, real))
        return _joined(parts)

    def _seen(self, table: Table, count: int) -> Batch:
        if "chance" in table:
            rows = torch.multinomial(table["chance"], count, replacement=True, generator=self.generator)
        else:
            rows = torch.randint(len(table["is_person"]), (count,), generator=self.generator)
        return Batch(reading_of(table, rows), table["intrinsics"][rows].float(), target_of(table, rows))

    def _simulated(self, count: int) -> Batch:
        who, scene = self._people(count)
        looks = self.earlier[: self._depth()]
        for step, size_hw in zip(looks, self._sizes_hw(looks), strict=True):
            with torch.no_grad():
                body = step.stage.head(step.habits.read(scene, who), scene.intrinsics)
            scene = through(outputs(body)["joints_px"], scene, size_hw)
        return Batch(self.habits.read(scene, who), scene.intrinsics, scene.target)

    def _people(self, count: int) -> tuple[Tensor, Scene]:
        """Whose habits are taken, [count], and the bodies that take them."""
        drawn = count if self.gate is None else CANDIDATES * count
        who = torch.randint(len(self.habits.scores), (drawn,), generator=self.generator)
        first = self.earlier[0].habits if self.earlier else self.habits
        scene = self.cameras.draw(first, who)
        if self.gate is None:
            return who, scene
        sent = self.gate.sends(first.read(scene, who), scene.intrinsics, scene.target.inside)
        rows = self.gate.chosen(sent, count)
        return who[rows], scene.of(rows)

    def _sizes_hw(self, looks: Sequence[Earlier]) -> list[tuple[int, int]]:
        """Of the window that follows each of these looks."""
        after = [look.stage.size_hw for look in looks[1:] if isinstance(look.stage, CropStage)]
        return after if self.size_hw is None else [*after, self.size_hw]

    def _depth(self) -> int:
        """How many earlier stages have looked: a stage may be skipped."""
        if not self.earlier:
            return 0
        return 1 + int(torch.randint(len(self.earlier), (1,), generator=self.generator))


def head_terms(supply: Supply, weights: Weights, device: torch.device) -> Callable[[nn.Module], dict[str, Tensor]]:
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
    def rows(kind: type[tuple[Tensor, ...]], items: Sequence[tuple[Tensor, ...]]) -> tuple[Tensor, ...]:
        return kind(*(torch.cat(columns) for columns in zip(*items, strict=True)))

    return Batch(
        reading=rows(Reading, [part.reading for part in parts]),
        intrinsics=torch.cat([part.intrinsics for part in parts]),
        target=rows(Target, [part.target for part in parts]),
    )


def on(batch: Batch, device: torch.device) -> Batch:
    """The batch on a device."""

    def put(value: object) -> object:
        if isinstance(value, Tensor):
            return value.to(device, non_blocking=True)
        return type(value)(*map(put, value)) if isinstance(value, tuple) else value

    return replace(batch, **{f.name: put(getattr(batch, f.name)) for f in fields(batch)})


def habits_of(tables: Sequence[Table], generator: torch.Generator) -> list[Habits]:
    """How each stage reads the same people, stage by stage: those of rendered pictures, and as many steady ones."""
    first = Habits.of(people_only(tables[0]))
    spread = torch.exp(torch.empty(len(first.scores)).uniform_(math.log(0.01), math.log(0.06), generator=generator))
    habits: list[Habits] = []
    for table in tables:
        habits.append(Habits.of(people_only(table)).and_steady(spread, habits[-1] if habits else None, generator))
    return habits
