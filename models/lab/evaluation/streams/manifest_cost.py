"""The cascade on a clock of its own, on which an item costs what the manifest says.

Systems that are compared share a `CachedRunner`, so that a stage pass takes no time once another system has run it; the
budget of a frame would then hardly matter.
"""

from collections import Counter

from posecascade.models.arrays import Image
from posecascade.models.cascade.cascade import Cascade
from posecascade.models.cascade.drive import Outputs, drive
from posecascade.models.errors import StageDown
from posecascade.models.options import Options
from posecascade.models.records import Frame, Stage
from posecascade.models.runners.base import StageBatch
from posecascade.models.tracking.reuse.memory import Memory


def run_at_manifest_cost(
    cascade: Cascade, image_bgr: Image, options: Options, memory: Memory | None
) -> tuple[Frame, Counter[Stage]]:
    """The people of a picture, and how many items each stage ran on.

    Raises:
        RuntimeError: any stage failed.
    """
    now_s = 0.0
    items = Counter[Stage]()

    def run(batch: StageBatch) -> Outputs:
        nonlocal now_s
        items[batch.stage] += batch.items
        now_s += batch.items * cascade.manifest.stages[batch.stage].cost_ms / 1000
        try:
            return cascade.run_stage(batch)
        except StageDown as error:  # an evaluation does not go on without a stage
            raise RuntimeError(f"{batch.stage} failed: {error}") from error

    steps = cascade.steps(image_bgr, options, memory=memory, clock=lambda: now_s)
    return drive(steps, run), items
