"""Deep stages trained on those whom a router sends to them, as Layer Cascade trains its later stages on the pixels
that the earlier ones did not settle (arXiv 1704.01344, section 3.3), here on people: fewer of them, and harder ones.

A floor of the others stays, so that the stage does not forget what easy people look like: the price is set at run time,
and at a low one they are sent too.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from models.arrays import Floats, Mask
from models.crops import Window
from models.looks import from_outputs, heights, overlaps, sizes
from models.manifest import Manifest, load_manifest
from models.networks.body import outputs
from models.networks.coarse import CENTER_FLOOR, CoarseStage, disagreement
from models.networks.readout import Reading
from models.records import Stage
from models.routers import Past, Policy, RoutingTable
from models.training.readings import Columns, ReadingStore, reading_of
from models.training.recipe import Survivors

CANDIDATES = 3
"""Simulated people drawn for each one that is kept."""


@dataclass(frozen=True, slots=True)
class Gate:
    """A routing policy that decides about `coarse`'s answers to training people."""

    coarse: CoarseStage
    manifest: Manifest
    policy: Policy
    price: float
    floor: float
    """Least share of those not sent among the people drawn."""

    @staticmethod
    def of(recipe: Survivors, coarse: CoarseStage) -> "Gate":
        """Raises:
        ManifestError: the weights that the recipe names do not fit together.
        ValueError: they have no such policy, or a number is out of range.
        """
        manifest = load_manifest(recipe.weights)
        policies = manifest.calibration.policies
        if recipe.policy not in policies:
            raise ValueError(f"survivors: policy must be one of {', '.join(policies)}, got {recipe.policy!r}")
        if not 0 <= recipe.floor <= 1 or not recipe.price >= 0:
            raise ValueError(f"survivors: want floor within 0..1 and price of 0 or more, got {recipe.floor:g} and "
                             f"{recipe.price:g}")
        return Gate(coarse.cpu().eval(), manifest, policies[recipe.policy], recipe.price, recipe.floor)

    def sends_of(self, store: ReadingStore, names: Sequence[str]) -> Tensor:
        """[N] bool of what `coarse` read in those shards, row for row as `ReadingStore.load` has it."""
        return torch.from_numpy(np.concatenate([self._sends_in(store.read(name)) for name in names]))

    def sends(self, reading: Reading, intrinsics: Tensor, inside: Tensor) -> Tensor:
        """[M] bool whether simulated people would be looked at again: they stand alone before their cameras."""
        count = len(intrinsics)
        return torch.from_numpy(self._sent(reading, intrinsics, [Window(0.0, 0.0, 1.0)] * count, inside,
                                           np.arange(count)))

    def chosen(self, sent: Tensor, count: int) -> Tensor:
        """[count] rows of M candidates, at least `count` of them: a floor of those not sent, and as many sent ones as
        there are."""
        order = sent.int().argsort(stable=True)
        easy, hard = order[: int((~sent).sum())], order[int((~sent).sum()) :]
        spare = min(len(easy), round(self.floor * count))
        kept = hard[: count - spare]
        return torch.cat([kept, easy[: count - len(kept)]])

    def _sends_in(self, shard: Columns) -> Mask:
        table = {name: torch.from_numpy(values) for name, values in shard.items()}
        windows = [Window(*map(float, window)) for window in shard["window"]]
        return self._sent(reading_of(table), table["intrinsics"].float(), windows, table["inside"],
                          shard["sample"].astype(int))

    @torch.no_grad()
    def _sent(self, reading: Reading, intrinsics: Tensor, windows: list[Window], inside: Tensor,
              frame: np.ndarray) -> Mask:
        """[M] what the policy says of the people of each frame [M]; nothing of what is past is known."""
        body = self.coarse.head(reading, intrinsics)
        said = outputs(body) | {"disagreement": disagreement(reading, body)}
        said["score"] = said["score"] * (reading.center_score > CENTER_FLOOR)
        looks = from_outputs({name: value.numpy() for name, value in said.items()}, windows, Stage.COARSE,
                             self.manifest.calibration)
        count = len(looks)
        stages = self.manifest.stages
        decided = self.policy.decide(RoutingTable(
            stage=Stage.COARSE, expected_error_mm=looks.expected_error_mm, worst_sigma_mm=looks.sigma_mm.max(1),
            sigma_spread=np.log(np.maximum(looks.sigma_mm, 1e-3)).std(1), score=looks.score,
            mean_joint_score=looks.joint_scores.mean(1), size_px=sizes(looks.joints_px),
            height_px=heights(looks.joints_px), truncated=1 - inside.numpy().mean(1),
            overlap=_overlaps(looks.joints_px, frame), disagreement=looks.disagreement, moved=np.zeros(count),
            moved_mm=np.zeros(count), past=Past.unknown(count), cost_ms={s: stages[s].cost_ms for s in stages},
            price=self.price, budget_ms=np.inf, who=np.arange(count)))
        sent = np.zeros(count, bool)
        sent[decided.refine] = sent[decided.expert] = True
        return sent


def _overlaps(joints_px: Floats, frame: np.ndarray) -> Floats:
    """[M] as `looks.overlaps`, among the people of one frame."""
    shares = np.zeros(len(frame))
    together, people = np.unique(frame, return_counts=True)
    for one in together[people > 1]:
        rows = np.flatnonzero(frame == one)
        shares[rows] = overlaps(joints_px[rows])
    return shares


def chances(sent: Tensor, is_person: Tensor, floor: float) -> Tensor:
    """[N] how often each row is to be drawn, 1 on average.

    Those not sent are drawn less often, down to the share `floor` of the people, but never more often than the others.
    False finds are drawn as often as ever: the person score is learned from them.
    """
    person = is_person > 0
    hard, easy = person & sent, person & ~sent
    people = int(person.sum())
    chance = torch.ones(len(sent))
    if int(hard.sum()) and int(easy.sum()) > floor * people:
        chance[easy] = floor * people / int(easy.sum())
        chance[hard] = (1 - floor) * people / int(hard.sum())
    return chance
