"""Fits how far carried poses are from fresh ones, on recorded streams; no labels are needed.

    python -m posecascade.models.lab.fitting.reuse FILM.mp4 FOLDER ... --out reuse.json

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

from posecascade.models.arrays import Floats, Mask
from posecascade.models.cascade.cascade import Cascade
from posecascade.models.detections import Detections
from posecascade.models.lab.datasets.errors import DatasetError
from posecascade.models.lab.fitting.gain import ridge
from posecascade.models.lab.scoring.cached_runner import CachedRunner
from posecascade.models.lab.scoring.refresh_rules import RandomRefresh
from posecascade.models.lab.scoring.shots import Shot, shots_of
from posecascade.models.manifest import WEIGHTS
from posecascade.models.options import Options, Quality
from posecascade.models.records import Stage
from posecascade.models.tracking.reuse.memory import Memory
from posecascade.models.tracking.reuse.propagation import deviation_mm
from posecascade.models.tracking.reuse.refresh import INPUTS, DeviationModel
from posecascade.models.tracking.reuse.settings import TARGET_MM
from posecascade.models.tracking.reuse.tracks import TrackPrediction

REFRESH_PROBABILITY: Final = 0.2
"""Gives ages up to half a second at 25 frames a second."""

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
        return (
            np.concatenate([np.zeros((0, len(INPUTS))), *self.inputs]),
            np.concatenate([np.zeros(0), *self.deviation_mm]),
        )


class _RecordingMemory(Memory):
    """Records how far each propagated pose was off when a fresh one came, at random refreshes."""

    def __init__(self, samples: Samples, seed: int) -> None:
        rule = RandomRefresh(REFRESH_PROBABILITY, np.random.default_rng(seed))
        super().__init__(rule=rule)
        self._samples = samples

    def update(
        self,
        prediction: TrackPrediction,
        coarse: Detections,
        answer: Detections,
        stage: Sequence[Stage],
        reused: Mask,
    ) -> Detections:
        compared = prediction.has & ~reused
        off_mm = deviation_mm(prediction.propagated, answer)
        self._samples.inputs.append(prediction.inputs[compared])
        self._samples.deviation_mm.append(off_mm[compared])
        return super().update(prediction, coarse, answer, stage, reused)


def collect(
    cascade: Cascade, streams: Iterable[Iterable[Shot]], rounds: int = 3
) -> Samples:
    """Runs the cascade over streams, each several times with other chance, the networks once."""
    samples = Samples()
    once = Cascade(
        cascade.manifest,
        {stage: CachedRunner(it) for stage, it in cascade.runners.items()},
    )
    for number, stream in enumerate(streams):
        memories = [
            _RecordingMemory(samples, seed=rounds * number + turn)
            for turn in range(rounds)
        ]
        for shot in stream:
            for memory in memories:
                memory.begin(shot.time_s)
                once.predict(
                    shot.image_bgr,
                    Options(
                        quality=Quality.BEST,
                        camera=shot.camera,
                        reuse_target_mm=TARGET_MM,
                    ),
                    memory=memory,
                )
    return samples


def fit(samples: Samples, target_mm: float) -> DeviationModel:
    """Ridge regression on standardised inputs; the target is left to the caller.

    Raises:
        ValueError: too few samples.
    """
    inputs, off_mm = samples.columns()
    if len(inputs) < LEAST_SAMPLES:
        raise ValueError(
            f"want {LEAST_SAMPLES} carried poses that were looked at again, got {len(inputs)}: give "
            "longer films with people in them"
        )
    predicted = ridge(inputs, np.minimum(off_mm, MOST_MM), RIDGE)
    return DeviationModel(predicted.weights, predicted.bias, target_mm)


def main(argv: Sequence[str] | None = None) -> int:
    args = _parser().parse_args(argv)
    cascade = Cascade.load(args.weights, threads=args.threads)
    try:
        samples = collect(cascade, map(shots_of, args.films), args.rounds)
        fitted = fit(samples, args.target)
    except (DatasetError, ValueError, OSError) as wrong:
        sys.stderr.write(f"posecascade.models.lab.fitting.reuse: {wrong}\n")
        return 2
    finally:
        cascade.close()
    args.out.write_text(json.dumps(fitted.as_json(), indent=1) + "\n")
    inputs, off_mm = samples.columns()
    correlation = np.corrcoef(fitted.expected_mm(inputs), off_mm)[0, 1]
    sys.stdout.write(
        f"{args.out}: {len(off_mm)} samples, mean deviation {off_mm.mean():.0f} mm, correlation "
        f"{correlation:.2f}\n"
    )
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "python -m posecascade.models.lab.fitting.reuse", description=__doc__
    )
    parser.add_argument(
        "films",
        type=Path,
        nargs="+",
        metavar="FILM",
        help="videos, or labelled folders of films",
    )
    parser.add_argument(
        "--target",
        type=float,
        default=TARGET_MM,
        metavar="MM",
        help="that streams aim at unless they say otherwise (default %(default)s)",
    )
    parser.add_argument(
        "--rounds",
        type=int,
        default=3,
        help="through each film, with other chance (default 3)",
    )
    parser.add_argument(
        "--weights",
        type=Path,
        default=WEIGHTS,
        metavar="FOLDER",
        help="default: those that ship",
    )
    parser.add_argument("--threads", type=int, default=2, metavar="N")
    parser.add_argument(
        "--out", type=Path, default=Path("out/reuse.json"), metavar="FILE.json"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
