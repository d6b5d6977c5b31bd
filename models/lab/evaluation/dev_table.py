"""One folder from pictures to rows of the table: all systems, then chance at the cost that routing came to."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence, Set
from dataclasses import dataclass, replace
from itertools import chain
from typing import Final

import numpy as np

from posecascade.models.arrays import Indices
from posecascade.models.cascade.cascade import Cascade
from posecascade.models.lab.datasets.labelled import LabelledFolder, LabelledFrame
from posecascade.models.lab.evaluation.comparison import (
    Chooser,
    Comparison,
    answered_by,
    compare,
)
from posecascade.models.lab.evaluation.fairness import Fairness, fairness
from posecascade.models.lab.evaluation.sigma import sigma_figures
from posecascade.models.lab.evaluation.tables import Row
from posecascade.models.lab.scoring.answers import System
from posecascade.models.lab.scoring.difficulty import hardest
from posecascade.models.lab.scoring.figures import draws_of, summarise
from posecascade.models.lab.scoring.matching import counted
from posecascade.models.lab.scoring.run import Run, run
from posecascade.models.lab.scoring.scoring import known_in_3d
from posecascade.models.lab.scoring.systems import (
    Route,
    WithoutCamera,
    random_at_same_cost,
    routed,
    stages_for_all,
)
from posecascade.models.records import Stage

EVERYBODY: Final = "everybody"
RANDOM: Final = "random routing, same looks"

Progress = Callable[[Sequence[LabelledFrame]], Iterable[LabelledFrame]]


@dataclass(frozen=True, slots=True, eq=False)
class FolderRuns:
    """All systems on one folder."""

    folder: LabelledFolder
    runs: tuple[Run, ...]
    """With a cascade: coarse, refine and expert for all, the routed one, and where it shows the routed one without the
    camera; then the others."""
    chance: tuple[Run, ...] = ()
    """Of the cascade routed by chance, a run a seed."""
    has_cascade: bool = False

    @property
    def in_3d(self) -> set[str]:
        """Systems that gave anybody a 3D pose here."""
        return {one.name for one in self.runs if one.says_3d}


@dataclass(frozen=True, slots=True, eq=False)
class FolderResult:
    """What a folder came to."""

    rows: tuple[Row, ...]
    comparisons: tuple[Comparison, ...]
    fairness: Fairness | None = None
    """Of our systems; None where nobody's groups are known."""


def run_folder(
    folder: LabelledFolder,
    cascade: Cascade | None,
    others: Sequence[System],
    *,
    seeds: int,
    progress: Progress = iter,
) -> FolderRuns:
    """Runs everything on the frames of one folder.

    Args:
        folder: with its truth.
        cascade: ours; None: only the others.
        others: peers.
        seeds: how often chance is dealt anew.
        progress: wraps the frames of each pass, such as a progress bar.
    """
    if cascade is None:
        return FolderRuns(folder, tuple(run(others, folder.frames, progress=progress)))
    router, counted = routed(cascade)
    unaware = [WithoutCamera(routed(cascade)[0])] if _tells_distance(folder) else []
    runs = run(
        [*stages_for_all(cascade), router, *unaware, *others],
        folder.frames,
        progress=progress,
    )
    routes = counted.routes[1:]  # the first is of the untimed call
    return FolderRuns(
        folder,
        tuple(runs),
        tuple(_by_chance(cascade, folder, routes, seeds, progress)),
        True,
    )


def _tells_distance(folder: LabelledFolder) -> bool:
    """Somewhere the camera is known and the truth is in 3D, so that it shows what not knowing the camera costs."""
    return any(
        frame.camera is not None and known_in_3d(person).any()
        for frame in folder.frames
        for person in counted(frame)
    )


def result_of(found: FolderRuns, in_3d: Set[str], *, rounds: int) -> FolderResult:
    """Rows, comparisons and figures by group of one folder.

    Args:
        found: its runs.
        in_3d: systems that answer in 3D, here or on another folder: where they find nobody, their 3D is wrong and not
            unknown.
        rounds: of the bootstrap.
    """
    folder = found.folder
    draws = draws_of(len(folder.frames), rounds, np.random.default_rng(0))
    rows = [_row(folder, one, draws, one.name in in_3d) for one in found.runs]
    if not found.has_cascade:
        return FolderResult(tuple(rows), ())
    rows[4:4] = [_pooled(folder, found.chance, draws)] if found.chance else []
    return FolderResult(
        tuple(rows),
        tuple(_comparisons(found, draws)),
        fairness(found.runs[:4], draws, np.random.default_rng(0)),
    )


def pooled_comparisons(found: Sequence[FolderRuns], *, rounds: int) -> list[Comparison]:
    """Stage against stage over the people of several folders: more of them than any one has. The hardest third of all
    is that of each folder."""
    frames = 0
    hard = set[tuple[int, int]]()
    first = found[0]
    for one in found:
        hard |= {
            (frames + frame, person) for frame, person in hardest(one.folder.frames)
        }
        frames += len(one.folder.frames)
    draws = draws_of(frames, rounds, np.random.default_rng(0))
    runs = [
        Run(
            run.name,
            *(
                tuple(
                    chain.from_iterable(
                        getattr(one.runs[number], part) for one in found
                    )
                )
                for part in ("guesses", "scores")
            ),
        )
        for number, run in enumerate(first.runs[:3])
    ]
    return list(_stage_by_stage(runs, hard, draws))


def _by_chance(
    cascade: Cascade,
    folder: LabelledFolder,
    routes: Sequence[Sequence[Route]],
    seeds: int,
    progress: Progress,
) -> list[Run]:
    systems = [random_at_same_cost(cascade, routes, seed) for seed in range(seeds)]
    return run(systems, folder.frames, progress=progress) if systems else []


def _row(folder: LabelledFolder, one: Run, draws: Indices, says_3d: bool) -> Row:
    stages = Counter(guess.stage for frame in one.guesses for guess in frame)
    return Row(
        folder.name,
        one.name,
        summarise(one.scores, draws, says_3d=says_3d),
        sigma_figures(one.scores),
        {stage: stages[stage] for stage in Stage if stage in stages},
    )


def _pooled(folder: LabelledFolder, runs: Sequence[Run], draws: Indices) -> Row:
    """The mean over the seeds; each draw of frames takes all seeds of a frame."""
    frames = len(folder.frames)
    wide = np.concatenate(
        [draws + frames * number for number in range(len(runs))], axis=1
    )
    both = Run(
        f"{RANDOM} ({len(runs)} seeds)",
        tuple(frame for one in runs for frame in one.guesses),
        tuple(score for one in runs for score in one.scores),
    )
    row = _row(folder, both, wide, True)
    people = row.summary.people // len(runs)
    known = row.summary.people_3d // len(runs)
    return replace(
        row, summary=replace(row.summary, frames=frames, people=people, people_3d=known)
    )


def _comparisons(found: FolderRuns, draws: Indices) -> Iterable[Comparison]:
    coarse, refine, _, router = found.runs[:4]
    yield from _stage_by_stage(found.runs[:3], hardest(found.folder.frames), draws)
    yield compare(
        "sent on",
        coarse,
        router,
        answered_by(router, Stage.REFINE, Stage.EXPERT),
        draws,
    )
    yield compare(
        "sent to refine", coarse, refine, answered_by(router, Stage.REFINE), draws
    )
    yield compare(
        "sent to expert", refine, router, answered_by(router, Stage.EXPERT), draws
    )
    for one in found.chance:
        yield compare(EVERYBODY, one, router, _everybody, draws)


def _stage_by_stage(
    runs: Sequence[Run], hard: Set[tuple[int, int]], draws: Indices
) -> Iterable[Comparison]:
    """Coarse, refine and expert for all, over everybody and over the hardest."""
    coarse, refine, expert = runs
    groups: dict[str, Chooser] = {
        EVERYBODY: _everybody,
        "hardest third": lambda frame, person: (frame, person) in hard,
    }
    for group, chosen in groups.items():
        for before, after in ((coarse, refine), (refine, expert), (coarse, expert)):
            yield compare(group, before, after, chosen, draws)


def _everybody(frame: int, person: int) -> bool:
    return True
