"""The training loop: steps, moving average, checkpoints, resume, a log that can be plotted."""

import json
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TextIO

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from tqdm import tqdm

from posecascade.models.lab.networks.former_names import with_present_names
from posecascade.models.lab.training.state import load_state, save_state

LOG_EVERY = 50
"""Steps between two lines of the log."""

Terms = Callable[[nn.Module], dict[str, Tensor]]
"""The losses of the next batch by name; the one called `total` is what is minimised."""


class Schedule(Protocol):
    """What the loop reads of a recipe."""

    @property
    def steps(self) -> int: ...
    @property
    def learning_rate(self) -> float: ...
    @property
    def weight_decay(self) -> float: ...
    @property
    def warm_up(self) -> int: ...
    @property
    def average(self) -> float: ...
    @property
    def checkpoint_every(self) -> int: ...


@dataclass(slots=True)
class Run:
    """A module in training; all that a resumed run needs is in its checkpoint."""

    module: nn.Module
    terms: Terms
    chance: torch.Generator
    """The one that `terms` draws from."""
    schedule: Schedule
    folder: Path
    device: torch.device

    def fit(self) -> nn.Module:
        """Trains to the last step, from the checkpoint where there is one, and returns the averaged module.

        Parameters that need no gradient stay as they are.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        self.module.to(self.device).train()
        learned = [one for one in self.module.parameters() if one.requires_grad]
        adam = torch.optim.AdamW(
            learned,
            lr=self.schedule.learning_rate,
            weight_decay=self.schedule.weight_decay,
        )
        average = AveragedModel(
            self.module, multi_avg_fn=get_ema_multi_avg_fn(self.schedule.average)
        )
        start = self._resume(adam, average)
        with (
            (self.folder / "log.jsonl").open("a") as log,
            tqdm(
                range(start, self.schedule.steps),
                initial=start,
                total=self.schedule.steps,
                unit="step",
                desc=self.folder.name,
            ) as steps,
        ):
            for step in steps:
                terms = self._step(adam, average, step)
                done = step + 1
                last = done == self.schedule.steps
                if done % LOG_EVERY == 0 or last:
                    loss = _log(log, done, terms)
                    steps.set_postfix(loss=loss)
                if done % self.schedule.checkpoint_every == 0 or last:
                    self._checkpoint(adam, average, done)
        trained: nn.Module = average.module
        return trained.eval()

    def _step(
        self, adam: torch.optim.Optimizer, average: AveragedModel, step: int
    ) -> dict[str, Tensor]:
        for group in adam.param_groups:
            group["lr"] = self.schedule.learning_rate * rate(step, self.schedule)
        terms = self.terms(self.module)
        adam.zero_grad(set_to_none=True)
        terms["total"].backward()
        torch.nn.utils.clip_grad_norm_(self.module.parameters(), 1.0)
        adam.step()
        average.update_parameters(self.module)
        return terms

    def _checkpoint(
        self, adam: torch.optim.Optimizer, average: nn.Module, step: int
    ) -> None:
        state: dict[str, Any] = {
            "step": step,
            "module": self.module.state_dict(),
            "average": average.state_dict(),
            "adam": adam.state_dict(),
            "chance": self.chance.get_state(),
        }
        save_state(self.folder, step, state)

    def _resume(self, adam: torch.optim.Optimizer, average: nn.Module) -> int:
        state = load_state(self.folder, self.device)
        if state is None:
            return 0
        self.module.load_state_dict(with_present_names(state["module"]))
        average.load_state_dict(with_present_names(state["average"]))
        adam.load_state_dict(state["adam"])
        self.chance.set_state(state["chance"].cpu())
        step: int = state["step"]
        return step


def _log(log: TextIO, step: int, terms: dict[str, Tensor]) -> float:
    """Writes one line of the log; returns the total loss in it."""
    rounded = {name: round(value.item(), 4) for name, value in terms.items()}
    line = {"step": step, "time": time.time()} | rounded
    log.write(json.dumps(line) + "\n")
    log.flush()
    return rounded["total"]


def rate(step: int, schedule: Schedule) -> float:
    """Learning rate at a step over its peak: linear warm-up, then a cosine to nothing."""
    if step < schedule.warm_up:
        return (step + 1) / schedule.warm_up
    done = (step - schedule.warm_up) / max(1, schedule.steps - schedule.warm_up)
    return 0.5 * (1 + math.cos(math.pi * min(1.0, done)))
