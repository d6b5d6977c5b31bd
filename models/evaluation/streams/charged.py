"""The cascade on a clock of its own, on which an item costs what the manifest says.

Systems that are compared share their answers (`once`), so that the true time of a look is nothing once another system
has asked for it; a frame's bound would then hardly be felt.
"""

from collections import Counter

from models.arrays import Image
from models.cascade import Cascade
from models.options import Options
from models.records import Frame, Stage
from models.reuse.memory import Memory


def charged(cascade: Cascade, image_bgr: Image, options: Options,
            memory: Memory | None) -> tuple[Frame, Counter[Stage]]:
    """The people of a picture, and how many items each stage was asked for.

    Raises:
        StageDown: any stage failed.
    """
    now_s, asked = 0.0, Counter[Stage]()
    steps = cascade.steps(image_bgr, options, memory=memory, clock=lambda: now_s)
    try:
        batch = next(steps)
        while True:
            items = len(next(iter(batch.inputs.values())))
            asked[batch.stage] += items
            now_s += items * cascade.manifest.stages[batch.stage].cost_ms / 1000
            batch = steps.send(cascade.runners[batch.stage].run(batch.inputs))
    except StopIteration as done:
        frame: Frame = done.value
        return frame, asked
