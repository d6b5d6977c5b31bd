"""Fits how far carried poses are from fresh ones, on recorded streams; no labels are needed.

    python -m models.reuse.fit FILM.mp4 FOLDER ... --out reuse.json

The result belongs into the manifest's calibration, under `reuse`. Everybody goes to the deepest stage there, on chance
frames; a sample is what the carried pose was off by when its turn came.
"""

import argparse
import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np

from models.arrays import Floats, Mask
from models.cascade import Cascade
from models.datasets.errors import DatasetError
from models.evaluation.streams.once import Once
from models.evaluation.streams.shots import Shot, shots_of
from models.looks import Looks
from models.manifest import WEIGHTS
from models.options import Options, Quality
from models.records import Stage
from models.reuse.carrying import deviation_mm
from models.reuse.deviation import INPUTS, Deviation
from models.reuse.memory import Memory
from models.reuse.recall import Recall
from models.reuse.settings import TARGET_MM, Reuse
from models.routing.gains import ridge

COIN: Final = 0.2
"""Of a fresh look: ages up to half a second at 25 frames a second."""

MOST_MM: Final = 300.0
"""Samples are cut here: a look that took another person tells nothing of carrying."""

RIDGE: Final = 10.0
LEAST_SAMPLES: Final = 100


@dataclass(slots=True)
class Samples:
    """What was seen to be off."""

    inputs: list[Floats] = field(default_factory=list)
    deviation_mm: list[Floats] = field(default_factory=list)

    def columns(self) -> tuple[Floats, Floats]:
        """[N, F] inputs and [N] deviations."""
        return (np.concatenate([np.zeros((0, len(INPUTS))), *self.inputs]),
                np.concatenate([np.zeros(0), *self.deviation_mm]))


class _Noting(Memory):
    """Notes what each carried pose was off by when a fresh one came."""

    def __init__(self, samples: Samples, seed: int) -> None:
        super().__init__(Reuse(clock=False, decide=False, coin=COIN, seed=seed))
        self._samples = samples

    def learn(self, recall: Recall, coarse: Looks, answer: Looks, stage: Sequence[Stage], held: Mask) -> Looks:
        again = recall.has & ~held
        self._samples.inputs.append(recall.inputs[again])
        self._samples.deviation_mm.append(deviation_mm(recall.carried, answer)[again])
        return super().learn(recall, coarse, answer, stage, held)


def collect(cascade: Cascade, streams: Iterable[Iterable[Shot]], rounds: int = 3) -> Samples:
    """Runs the cascade over streams, each several times with other chance, the networks once."""
    samples, once = Samples(), Cascade(cascade.manifest, {stage: Once(it) for stage, it in cascade.runners.items()})
    for number, stream in enumerate(streams):
        memories = [_Noting(samples, seed=rounds * number + turn) for turn in range(rounds)]
        for shot in stream:
            for memory in memories:
                memory.begin(shot.time_s)
                once.predict(shot.image_bgr, Options(quality=Quality.BEST, camera=shot.camera,
                                                     reuse_target_mm=TARGET_MM), memory=memory)
    return samples


def fit(samples: Samples, target_mm: float) -> Deviation:
    """Ridge regression on standardised inputs; the target is left to the caller.

    Raises:
        ValueError: too few samples.
    """
    inputs, off_mm = samples.columns()
    if len(inputs) < LEAST_SAMPLES:
        raise ValueError(f"want {LEAST_SAMPLES} carried poses that were looked at again, got {len(inputs)}: give "
                         "longer films with people in them")
    said = ridge(inputs, np.minimum(off_mm, MOST_MM), RIDGE)
    return Deviation(said.weights, said.bias, target_mm)


def main(argv: Sequence[str] | None = None) -> int:
    args = _parser().parse_args(argv)
    cascade = Cascade.load(args.weights, threads=args.threads)
    try:
        samples = collect(cascade, map(shots_of, args.films), args.rounds)
        fitted = fit(samples, args.target)
    except (DatasetError, ValueError, OSError) as wrong:
        sys.stderr.write(f"models.reuse.fit: {wrong}\n")
        return 2
    finally:
        cascade.close()
    args.out.write_text(json.dumps(fitted.as_json(), indent=1) + "\n")
    inputs, off_mm = samples.columns()
    likeness = np.corrcoef(fitted.expected_mm(inputs), off_mm)[0, 1]
    sys.stdout.write(f"{args.out}: {len(off_mm)} samples, mean deviation {off_mm.mean():.0f} mm, correlation "
                     f"{likeness:.2f}\n")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m models.reuse.fit", description=__doc__)
    parser.add_argument("films", type=Path, nargs="+", metavar="FILM", help="videos, or labelled folders of films")
    parser.add_argument("--target", type=float, default=TARGET_MM, metavar="MM",
                        help="that streams aim at unless they say otherwise (default %(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="through each film, with other chance (default 3)")
    parser.add_argument("--weights", type=Path, default=WEIGHTS, metavar="FOLDER", help="default: those that ship")
    parser.add_argument("--threads", type=int, default=2, metavar="N")
    parser.add_argument("--out", type=Path, default=Path("out/reuse.json"), metavar="FILE.json")
    return parser


if __name__ == "__main__":
    sys.exit(main())
