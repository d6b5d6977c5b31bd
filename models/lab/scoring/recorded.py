"""The recorded routing table: every stage on every person of labelled frames, with the errors that each would make.

Routers are fitted and compared on it without running a network again. One row is one detection of `coarse`; the columns
of the routes are, in order, `ROUTES`. Errors are against the labelled person that the coarse detection was matched to.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from posecascade.models.arrays import Floats, Image, Indices, Mask
from posecascade.models.cascade.cascade import Cascade
from posecascade.models.cascade.frame_state import FrameState, by_score
from posecascade.models.cascade.timing import FrameTimer
from posecascade.models.lab.datasets.labelled import (
    LabelledFolder,
    LabelledFrame,
    LabelledPerson,
)
from posecascade.models.lab.scoring.answers import Guess
from posecascade.models.lab.scoring.difficulty import difficulty_of
from posecascade.models.lab.scoring.matching import (
    FOUND_AT,
    LIMBS,
    inside,
    limbs_px,
    match,
    mean_joint_px,
    similarity,
    size_px,
)
from posecascade.models.lab.scoring.metrics import distances
from posecascade.models.lab.scoring.scoring import known_in_3d
from posecascade.models.lab.scoring.systems import Route, RoutedBy
from posecascade.models.options import Options
from posecascade.models.policies import Decision, RoutingTable
from posecascade.models.policies.table import FEATURES
from posecascade.models.records import Frame, Person, Stage, Stop
from posecascade.models.skeleton import JOINT_NAMES, JOINTS

ROUTES: Final[tuple[Route, ...]] = (
    (),
    (Stage.REFINE,),
    (Stage.EXPERT,),
    (Stage.REFINE, Stage.EXPERT),
)
"""coarse alone; to refine; straight to expert; to expert by way of refine."""

_HIPS: Final = [JOINT_NAMES.index("left_hip"), JOINT_NAMES.index("right_hip")]


@dataclass(frozen=True, slots=True, eq=False)
class Recorded:
    """N detections under R routes; NaN where the truth is silent."""

    folder: NDArray[np.str_]
    """[N] name of the labelled folder."""
    frame: NDArray[np.str_]
    """[N] path of the picture in it; people of one frame are not independent."""
    sequence: NDArray[np.str_]
    """[N] what depends on each other: a film, the pictures of one moment, or else a single picture."""
    person: Indices
    """[N] index of the labelled person, -1: matched to nobody."""
    difficulty: Floats
    """[N] of the labelled person, see `evaluation.difficulty`; NaN where there is none."""
    judged: Mask
    """[N] False: nobody can say whether the detection is right (an ignore box, people without labels)."""
    right: Mask
    """[N, R] the pose lies on the labelled person: similarity at least `matching.FOUND_AT`."""
    features: Floats
    """[N, 2, F] as the router sees them after coarse and after refine, in the order of `routers.table.FEATURES`."""
    score: Floats
    """[N, R] as the cascade reports it under its present calibration, as all of what follows."""
    joint_scores: Floats
    """[N, R, 25]"""
    sigma_mm: Floats
    """[N, R, 25]"""
    root_sigma_mm: Floats
    """[N, R]"""
    errors_mm: Floats
    """[N, R, 25] 3D, each relative to its mid-hip."""
    errors_2d: Floats
    """[N, R, 25] distances in the picture, in sizes of the labelled person."""
    root_errors_mm: Floats
    """[N, R] of the mid-hip in camera space."""
    limb_error_mm: Floats
    """[N, R] mean 3D error of the limb joints: what the tables call MPJPE."""
    error_2d: Floats
    """[N, R] mean of the labelled limb joints' `errors_2d`."""
    from_deepest_mm: Floats
    """[N, R] mean distance of the limb joints from those of the last of `ROUTES`, each relative to its mid-hip.
    It needs no truth."""
    cost_ms: Floats
    """[N, R] measured wall time beyond coarse, the frame's deep time shared by its people."""

    def save(self, path: Path) -> None:
        """As `.npz`, with the meaning of the columns beside them."""
        columns: dict[str, NDArray[Any]] = {
            column.name: getattr(self, column.name) for column in fields(self)
        }
        routes = ["coarse", *(" ".join(route) for route in ROUTES[1:])]
        np.savez_compressed(
            path,
            allow_pickle=False,
            **columns,
            routes=np.array(routes),
            feature_names=np.array(FEATURES),
            joint_names=np.array(JOINT_NAMES),
        )

    @staticmethod
    def load(path: Path) -> "Recorded":
        with np.load(path, allow_pickle=False) as stored:
            return Recorded(
                **{column.name: stored[column.name] for column in fields(Recorded)}
            )

    @property
    def units(self) -> Indices:
        """[N] number of each detection's film, moment or picture; people of one depend on each other."""
        return np.unique(
            np.char.add(np.char.add(self.folder, "/"), self.sequence),
            return_inverse=True,
        )[1]

    def of(self, rows: Indices | Mask) -> "Recorded":
        """These detections."""
        return Recorded(
            **{
                column.name: getattr(self, column.name)[rows]
                for column in fields(Recorded)
            }
        )

    @staticmethod
    def joined(tables: Sequence["Recorded"]) -> "Recorded":
        """All of several tables."""
        return Recorded(
            **{
                column.name: np.concatenate(
                    [getattr(table, column.name) for table in tables]
                )
                for column in fields(Recorded)
            }
        )


@dataclass(slots=True)
class _Everybody:
    """Sends all people along one route and keeps the tables it was shown."""

    route: Route
    name: str = "everybody"
    tables: list[RoutingTable] = field(default_factory=list)

    def decide(self, table: RoutingTable) -> Decision:
        self.tables.append(table)
        step = {Stage.COARSE: 0, Stage.REFINE: 1}[table.stage]
        rows = np.arange(len(table))
        nobody = np.array([], np.intp)
        goes = self.route[step] if step < len(self.route) else None
        stop = dict.fromkeys(range(len(table)), Stop.DEEPEST) if goes is None else {}
        return Decision(
            rows if goes is Stage.REFINE else nobody,
            rows if goes is Stage.EXPERT else nobody,
            stop,
        )


class _Ordered(RoutedBy):
    """Remembers who is who: a frame has its people by score, the routing table in the order that `coarse` left."""

    rows: Indices = np.array([], np.intp)
    """[P] row of the routing table of each of the last frame's people."""

    def frame_of(self, state: FrameState, timer: FrameTimer) -> Frame:
        self.rows = by_score(state.detections)
        return super().frame_of(state, timer)


def record(
    cascade: Cascade,
    folders: Sequence[LabelledFolder],
    *,
    progress: Callable[[Sequence[LabelledFrame]], Iterable[LabelledFrame]] = iter,
) -> Recorded:
    """Runs all routes on everybody.

    Raises:
        ValueError: no frame holds a detection.
    """
    rows: list[dict[str, Any]] = []
    for folder in folders:
        hard = difficulty_of(folder.frames)
        for number, frame in enumerate(progress(folder.frames)):
            of = {
                "folder": folder.name,
                "frame": frame.path.name,
                "sequence": _sequence(folder, frame),
            }
            rows += [
                of | {"difficulty": hard.get((number, row["person"]), np.nan)} | row
                for row in _rows(cascade, frame)
            ]
    if not rows:
        raise ValueError("coarse found nobody in any frame: nothing to record")
    return Recorded(
        **{
            column.name: np.array([row[column.name] for row in rows])
            for column in fields(Recorded)
        }
    )


def _sequence(folder: LabelledFolder, frame: LabelledFrame) -> str:
    if frame.time_s is not None:
        return folder.name
    return f"{folder.name}/{frame.moment or frame.path.name}"


@dataclass(frozen=True, slots=True, eq=False)
class _Answer:
    """What one route says of a frame's people, in the order of the routing table's rows."""

    people: list[Person]
    tables: list[RoutingTable]
    deep_ms: float


def _rows(cascade: Cascade, frame: LabelledFrame) -> list[dict[str, Any]]:
    image = frame.image_bgr()
    options = Options(camera=frame.camera)
    answers = [_along(cascade, route, image, options) for route in ROUTES]
    coarse = answers[0]
    refined = answers[1]
    count = len(coarse.people)
    after_refine = np.full(
        (count, len(FEATURES)), np.nan
    )  # who kept the coarse answer is not asked again
    if count:
        after_refine[_answered_by(Stage.REFINE, refined)] = refined.tables[1].features
    owner, judged = _owners(frame, coarse.people)
    rows = []
    for row in range(count):
        index, truth = owner.get(row, (-1, None))
        routes = [_against(truth, answer.people[row]) for answer in answers]
        rows.append(
            {
                "person": index,
                "judged": judged[row],
                "features": np.stack(
                    [coarse.tables[0].features[row], after_refine[row]]
                ),
                "cost_ms": np.array([answer.deep_ms / count for answer in answers]),
                "from_deepest_mm": _from_deepest(
                    [answer.people[row] for answer in answers]
                ),
                **{
                    column: np.array([route[column] for route in routes])
                    for column in routes[0]
                },
            }
        )
    return rows


def _along(cascade: Cascade, route: Route, image: Image, options: Options) -> _Answer:
    """Everybody along one route."""
    policy = _Everybody(route)
    system = _Ordered(cascade, policy)
    frame = system.predict(image, options)
    people = [frame.people[i] for i in np.argsort(system.rows)]
    return _Answer(
        people, policy.tables, frame.timing_ms["refine"] + frame.timing_ms["expert"]
    )


def _answered_by(stage: Stage, answer: _Answer) -> list[int]:
    """Rows of those whom the stage answered; the others kept what they had, for it took somebody else for them."""
    return [row for row, person in enumerate(answer.people) if person.stage is stage]


def _owners(
    frame: LabelledFrame, people: Sequence[Person]
) -> tuple[dict[int, tuple[int, LabelledPerson]], Mask]:
    """Whom each detection was matched to, and whether it can be judged at all [P]."""
    guesses = [Guess.of(person) for person in people]
    matches = match(frame, guesses)
    pairs = enumerate(zip(matches.found_by, matches.people, strict=True))
    owner = {int(by): (index, person) for index, (by, person) in pairs if by >= 0}
    limbs = np.array([guess.joints_px[LIMBS] for guess in guesses]).reshape(
        -1, len(LIMBS), 2
    )
    judged = frame.everyone_labelled & ~inside(
        mean_joint_px(limbs), frame.ignore_xyxy_px
    )
    return owner, judged | np.isin(np.arange(len(people)), list(owner))


def _mean_known(values: Floats) -> float:
    """NaN where nothing is known."""
    known = values[np.isfinite(values)]
    return float(known.mean()) if known.size else np.nan


def _from_deepest(people: Sequence[Person]) -> Floats:
    """[R] of one person along all routes."""
    rel_mm = np.array([person.pose.joints_rel_mm for person in people])
    limbs = rel_mm[:, LIMBS] - rel_mm[:, _HIPS].mean(1, keepdims=True)  # [R, L, 3]
    away: Floats = distances(limbs, limbs[-1]).mean(1)
    return away


def _against(truth: LabelledPerson | None, person: Person) -> dict[str, Any]:
    """One route's entries of a row."""
    pose = person.pose
    stated = {
        "score": person.score,
        "joint_scores": pose.joint_scores,
        "sigma_mm": pose.sigma_mm,
        "root_sigma_mm": pose.root_sigma_mm,
    }
    if truth is None:
        unknown = np.full(JOINTS, np.nan)
        return stated | {
            "right": False,
            "errors_mm": unknown,
            "errors_2d": unknown,
            "root_errors_mm": np.nan,
            "limb_error_mm": np.nan,
            "error_2d": np.nan,
        }
    size = size_px(truth)
    oks = similarity(
        limbs_px(truth)[None], np.array([size]), pose.joints_px[None, LIMBS]
    )[0, 0]
    root_mm = truth.joints_mm[_HIPS].mean(0)
    errors_mm = distances(
        pose.joints_rel_mm - pose.joints_rel_mm[_HIPS].mean(0),
        truth.joints_mm - root_mm,
    )
    limbs = errors_mm[LIMBS]
    errors_2d = distances(pose.joints_px, truth.joints_px) / size
    return stated | {
        "right": oks >= FOUND_AT,
        "errors_mm": errors_mm,
        "errors_2d": errors_2d,
        "error_2d": _mean_known(errors_2d[LIMBS]),
        "root_errors_mm": float(np.linalg.norm(pose.root_mm - root_mm)),
        "limb_error_mm": float(limbs[known].mean())
        if (known := known_in_3d(truth)).any()
        else np.nan,
    }
