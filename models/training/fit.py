"""The training loop of a head: steps, moving average, checkpoints, resume, a log that can be plotted."""

import json
import math
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from tqdm import tqdm

from models.networks.body import BodyHead
from models.training.losses import Weights, losses
from models.training.recipe import Optimiser
from models.training.supply import Supply, on


@dataclass(slots=True)
class Run:
    """A head in training; all that a resumed run needs is in its checkpoint."""

    head: BodyHead
    supply: Supply
    optimiser: Optimiser
    weights: Weights
    folder: Path
    device: torch.device

    def fit(self) -> BodyHead:
        """Trains to the last step, from the checkpoint where there is one, and returns the averaged head."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.head.to(self.device).train()
        if self.optimiser.lean_only:
            self.head.requires_grad_(False)
            self.head.lean.requires_grad_(True)
        learned = [parameter for parameter in self.head.parameters() if parameter.requires_grad]
        adam = torch.optim.AdamW(learned, lr=self.optimiser.learning_rate, weight_decay=self.optimiser.weight_decay)
        average = torch.optim.swa_utils.AveragedModel(
            self.head, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(self.optimiser.average)
        )
        start = self._resume(adam, average)
        with (
            (self.folder / "log.jsonl").open("a") as log,
            tqdm(
                range(start, self.optimiser.steps),
                initial=start,
                total=self.optimiser.steps,
                unit="step",
                desc=self.folder.name,
            ) as steps,
        ):
            for step in steps:
                terms = self._step(adam, average, step)
                if step % 50 == 49:
                    line = {"step": step + 1, "time": time.time()} | {k: round(v.item(), 4) for k, v in terms.items()}
                    log.write(json.dumps(line) + "\n")
                    log.flush()
                    steps.set_postfix(loss=line["total"])
                if (step + 1) % self.optimiser.checkpoint_every == 0 or step + 1 == self.optimiser.steps:
                    self._checkpoint(adam, average, step + 1)
        head: BodyHead = average.module
        return head.eval()

    def _step(
        self, adam: torch.optim.Optimizer, average: torch.optim.swa_utils.AveragedModel, step: int
    ) -> dict[str, Any]:
        for group in adam.param_groups:
            group["lr"] = self.optimiser.learning_rate * rate(step, self.optimiser)
        batch = on(self.supply.draw(), self.device)
        with torch.autocast("cuda", torch.bfloat16, enabled=self.device.type == "cuda"):
            body = self.head(batch.reading, batch.intrinsics, batch.prior)
        terms = losses(body, batch.target, self.weights)
        adam.zero_grad(set_to_none=True)
        terms["total"].backward()
        torch.nn.utils.clip_grad_norm_(self.head.parameters(), 1.0)
        adam.step()
        average.update_parameters(self.head)
        return terms

    @property
    def _path(self) -> Path:
        return self.folder / "state.pt"

    def _checkpoint(self, adam: torch.optim.Optimizer, average: torch.nn.Module, step: int) -> None:
        partial = self._path.with_suffix(".partial")
        torch.save(
            {
                "step": step,
                "head": self.head.state_dict(),
                "average": average.state_dict(),
                "adam": adam.state_dict(),
                "chance": self.supply.generator.get_state(),
            },
            partial,
        )
        partial.replace(self._path)

    def _resume(self, adam: torch.optim.Optimizer, average: torch.nn.Module) -> int:
        if not self._path.exists():
            return 0
        state = torch.load(self._path, map_location=self.device, weights_only=True)
        self.head.load_state_dict(state["head"])
        average.load_state_dict(state["average"])
        adam.load_state_dict(state["adam"])
        self.supply.generator.set_state(state["chance"].cpu())
        step: int = state["step"]
        return step


def rate(step: int, optimiser: Optimiser) -> float:
    """Learning rate at a step over its peak: linear warm-up, then a cosine to nothing."""
    if step < optimiser.warm_up:
        return (step + 1) / optimiser.warm_up
    done = (step - optimiser.warm_up) / max(1, optimiser.steps - optimiser.warm_up)
    return 0.5 * (1 + math.cos(math.pi * min(1.0, done)))
