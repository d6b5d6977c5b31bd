"""Training of deep stages on the people whom a routing policy sends to them: fewer people, and harder ones.

Layer Cascade trains its later stages on the pixels that the earlier ones did not settle (arXiv 1704.01344, section
3.3); here it is people. A share of the others stays, because a low price at run time sends them too.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from posecascade.models.arrays import Floats, Indices, Mask
from posecascade.models.cascade.stage_outputs import from_outputs
from posecascade.models.crops import Window
from posecascade.models.detections import Detections
from posecascade.models.keypoints import box_heights, box_occlusion, box_scales
from posecascade.models.lab.networks.coarse import (
    CENTER_FLOOR,
    CoarseStage,
    disagreement,
)
from posecascade.models.lab.networks.lifter import contract_outputs
from posecascade.models.lab.networks.readout import Reading
from posecascade.models.lab.training.readings import Columns, ReadingStore, reading_of
from posecascade.models.lab.training.recipe import Survivors
from posecascade.models.manifest import Manifest, load_manifest
from posecascade.models.policies import Policy, RoutingTable, TemporalFeatures
from posecascade.models.records import Stage

CANDIDATES = 3
"""Simulated people drawn for each one that is used."""


@dataclass(frozen=True, slots=True)
class Gate:
    """A routing policy, applied to `coarse`'s detections of training people."""

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
            raise ValueError(
                f"survivors: policy must be one of {', '.join(policies)}, got {recipe.policy!r}"
            )
        if not 0 <= recipe.floor <= 1 or not recipe.price >= 0:
            raise ValueError(
                f"survivors: want floor within 0..1 and price of 0 or more, got {recipe.floor:g} and "
                f"{recipe.price:g}"
            )
        return Gate(
            coarse=coarse.cpu().eval(),
            manifest=manifest,
            policy=policies[recipe.policy],
            price=recipe.price,
            floor=recipe.floor,
        )

    def sends_of(self, store: ReadingStore, names: Sequence[str]) -> Tensor:
        """[N] bool of what `coarse` read in those shards, row for row as `ReadingStore.load` has it."""
        shards = [self._sends_in(store.read(name)) for name in names]
        return torch.from_numpy(np.concatenate(shards))

    def sends(self, reading: Reading, intrinsics: Tensor, inside: Tensor) -> Tensor:
        """[M] bool whether simulated people are sent on; each is alone before their camera."""
        count = len(intrinsics)
        windows = [Window(0.0, 0.0, 1.0)] * count
        sent = self._sent(reading, intrinsics, windows, inside, np.arange(count))
        return torch.from_numpy(sent)

    def chosen(self, sent: Tensor, count: int) -> Tensor:
        """[count] rows of M candidates, at least `count` of them: a floor of those not sent, and as many sent ones as
        there are."""
        order = sent.int().argsort(stable=True)
        not_sent = int((~sent).sum())
        easy = order[:not_sent]
        hard = order[not_sent:]
        reserved = min(len(easy), round(self.floor * count))
        chosen = hard[: count - reserved]
        return torch.cat([chosen, easy[: count - len(chosen)]])

    def _sends_in(self, shard: Columns) -> Mask:
        table = {name: torch.from_numpy(values) for name, values in shard.items()}
        windows = [Window(*map(float, window)) for window in shard["window"]]
        return self._sent(
            reading_of(table),
            table["intrinsics"].float(),
            windows,
            table["inside"],
            shard["sample"].astype(int),
        )

    @torch.no_grad()
    def _sent(
        self,
        reading: Reading,
        intrinsics: Tensor,
        windows: list[Window],
        inside: Tensor,
        frame: Indices,
    ) -> Mask:
        """[M] whom the policy sends on among the people of each frame [M], as in single pictures."""
        body = self.coarse.head(reading, intrinsics)
        outputs = contract_outputs(body) | {"disagreement": disagreement(reading, body)}
        outputs["score"] = outputs["score"] * (reading.center_score > CENTER_FLOOR)
        detections = from_outputs(
            {name: value.numpy() for name, value in outputs.items()},
            windows,
            Stage.COARSE,
            self.manifest.calibration,
        )
        truncated = 1 - inside.numpy().mean(1)
        decided = self.policy.decide(self._table(detections, truncated, frame))
        sent = np.zeros(len(detections), bool)
        sent[decided.refine] = True
        sent[decided.expert] = True
        return sent

    def _table(
        self, detections: Detections, truncated: Floats, frame: Indices
    ) -> RoutingTable:
        """The features that the policy decides by, as for single pictures without a budget."""
        count = len(detections)
        log_sigma = np.log(np.maximum(detections.sigma_mm, 1e-3))
        stages = self.manifest.stages
        return RoutingTable(
            stage=Stage.COARSE,
            expected_error_mm=detections.expected_error_mm,
            worst_sigma_mm=detections.sigma_mm.max(1),
            sigma_spread=log_sigma.std(1),
            score=detections.score,
            mean_joint_score=detections.joint_scores.mean(1),
            size_px=box_scales(detections.joints_px),
            height_px=box_heights(detections.joints_px),
            truncated=truncated,
            overlap=_overlaps(detections.joints_px, frame),
            disagreement=detections.disagreement,
            pose_change=np.zeros(count),
            pose_change_mm=np.zeros(count),
            temporal=TemporalFeatures.unknown(count),
            cost_ms={stage: spec.cost_ms for stage, spec in stages.items()},
            price=self.price,
            budget_ms=np.inf,
            person_index=np.arange(count),
        )


def _overlaps(joints_px: Floats, frame: Indices) -> Floats:
    """[M] as `keypoints.box_occlusion`, among the people of one frame."""
    shares = np.zeros(len(frame))
    together, people = np.unique(frame, return_counts=True)
    for one in together[people > 1]:
        rows = np.flatnonzero(frame == one)
        shares[rows] = box_occlusion(joints_px[rows])
    return shares


def chances(sent: Tensor, is_person: Tensor, floor: float) -> Tensor:
    """[N] how often each row is to be drawn, 1 on average.

    Those not sent are drawn less often, down to the share `floor` of the people, but never more often than the others.
    False positives are drawn as often as ever: the person score is learned from them.
    """
    person = is_person > 0
    hard, easy = person & sent, person & ~sent
    people = int(person.sum())
    chance = torch.ones(len(sent))
    if int(hard.sum()) and int(easy.sum()) > floor * people:
        chance[easy] = floor * people / int(easy.sum())
        chance[hard] = (1 - floor) * people / int(hard.sum())
    return chance
