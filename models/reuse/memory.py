"""The memory of one stream: asked between the coarse look and the routing of a frame, told its answers afterwards."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from models.arrays import Floats, Image, Indices, Mask
from models.looks import Looks, moved, overlaps, sizes
from models.records import Stage
from models.reuse import sides
from models.reuse.carrying import carried, weighed
from models.reuse.deviation import INPUTS, Deviation
from models.reuse.known import NONE, Known
from models.reuse.learning import learned
from models.reuse.matching import expected_px, owners
from models.reuse.recall import STAGES, Recall
from models.reuse.scene import glimpse, is_cut
from models.reuse.settings import Reuse
from models.reuse.turning import turned
from models.reuse.worth import SERVES, carrying_mm, chance, first_mm
from models.routers.table import NEVER_S, Past

OUT_OF_SIGHT_S: Final = 0.5
"""Who was not found for so long is new."""

STALE_S: Final = 2.0
"""A deep look older than this is no longer carried, even where no fresh one comes."""

UNVEILED: Final = 0.3
"""Share of the box by which a person must come out from behind others to be looked at afresh."""

GROWTH_MM: Final = 80.0
"""Expected deviation after a second, growing with the root of time, where no regressor is fitted."""

SOON_S: Final = 0.2
"""A stranger among known people is looked at when found again, if the last frame was so recent: on rendered films four
in five are nobody, most often a second find of somebody known, and more than half are gone by then."""


class Memory:
    """Owns what one stream knows of its people. Its frames take turns. `recall` changes nothing that is known, so a
    frame that comes to nothing leaves no trace."""

    def __init__(self, reuse: Reuse | None = None) -> None:
        self.reuse = reuse or Reuse()
        self._time_s = 0.0
        self._chance = np.random.default_rng(self.reuse.seed)
        self.forget()

    def forget(self) -> None:
        """Everyone of the next frame is new."""
        self._known = Known.nobody()
        self._glimpse: Floats = np.zeros((1, 1))

    def begin(self, time_s: float) -> None:
        """The next frame is of this time, on a clock that only goes forward."""
        self._time_s = time_s

    def recall(self, image_bgr: Image, coarse: Looks, deviation: Deviation | None, *, target_mm: float | None = None,
               deep: bool = True, spare: bool = True, alone: bool = False) -> Recall:
        """What is remembered of the people of a frame.

        Args:
            image_bgr: the frame; a cut shows in it.
            coarse: [P] what `coarse` says of them.
            deviation: fitted parameters, if there are any.
            target_mm: see `Options.reuse_target_mm`; None: as fitted, or else as set.
            deep: False: no deep look is remembered.
            spare: False: everybody is due.
            alone: nothing of before is to be in the frame's answer; only the past of the routing table is told.
        """
        count, seen = len(coarse), glimpse(image_bgr)
        known, owner = self._recognised(coarse, seen)
        rows = np.flatnonzero(owner >= 0)
        past = self._past(known[owner[rows]], coarse[rows], rows, count)
        shallow = rows[known.stage[owner[rows]] == NONE]
        kept = coarse.replaced(shallow, carried(known[owner[shallow]], coarse[shallow], self._time_s, along=False))
        covered = overlaps(coarse.joints_px, by=(owner >= 0) | (not len(known)))
        rows = rows[self._fits(known[owner[rows]], coarse, covered, rows) & deep & (not alone)]
        mine = known[owner[rows]]
        now = sides.like(coarse[rows], mine.kept.rel_mm - mine.offset_mm)
        stage, looks, frames = (np.zeros(count, np.intp) for _ in range(3))
        interval_s, spent, inputs = np.zeros(count), np.zeros(count), np.zeros((count, len(INPUTS)))
        if len(rows):
            kept = kept.replaced(rows, carried(mine, now, self._time_s, along=self.reuse.carry))
            stage[rows], looks[rows], frames[rows] = mine.stage, mine.looks, mine.frames + 1
            interval_s[rows], spent[rows] = mine.interval_s, mine.spent_mm
            inputs[rows] = self._inputs(mine, now, past.of(rows))
        expected = deviation.expected_mm(inputs) if deviation else GROWTH_MM * np.sqrt(inputs[:, 0])
        expected = np.where(stage == NONE, 0.0, expected)
        target = target_mm or (deviation.target_mm if deviation else self.reuse.target_mm)
        likely = chance(coarse)
        extra = carrying_mm(expected, kept, likely, looks)
        again = self._due(past.age_s, interval_s, frames, extra / target if deviation else None, spent / target)
        first = (first_mm(likely) > target) & ~self._strangers(known, owner)
        due = np.where(stage == NONE, first, again) | (not spare) | (not deep) | alone
        past.saving_mm[rows] = (frames[rows] * extra[rows] - spent[rows]) / SERVES
        return Recall(past, kept, expected, stage, due, frames, inputs, extra, spent, target, known, owner, covered,
                      seen, alone)

    def learn(self, recall: Recall, coarse: Looks, answer: Looks, stage: Sequence[Stage], held: Mask) -> Looks:
        """Takes in the looks of a frame.

        Args:
            recall: what this memory said of it.
            coarse, answer: [P] the first look and the last.
            stage: [P] that answered.
            held: [P] answered by the carried look.

        Returns:
            [P] what the stream is answered: looks of now, weighed against those of before by the same kind of stage.
        """
        code = np.array([STAGES.index(one) for one in stage], np.intp)
        fresh = (code != NONE) & ~held
        alike = fresh & recall.has | (code == NONE) & recall.shallow
        again = np.flatnonzero(alike & self.reuse.weigh & (not recall.alone))
        elapsed_s = self._time_s - recall.known.seen_s[recall.owner[again]]
        settled = answer.replaced(again, weighed(answer[again], recall.carried[again], elapsed_s))
        self._known = learned(recall, coarse, answer, settled, fresh, held, code, self._time_s)
        self._glimpse = recall.glimpse
        return settled

    def _recognised(self, coarse: Looks, seen: Floats) -> tuple[Known, Indices]:
        """Whom the memory knows, and which of them each of the people [P] is, -1 nobody: all new after a cut."""
        known = Known.nobody() if is_cut(self._glimpse, seen) else self._known
        known = known[np.flatnonzero(self._time_s - known.seen_s <= OUT_OF_SIGHT_S)]
        owner = owners(known, coarse.joints_px, self._time_s)
        last = int((known.seen_s == known.seen_s.max(initial=-np.inf)).sum())
        if 2 * int((owner >= 0).sum()) < min(len(coarse), last):
            return Known.nobody(), np.full(len(coarse), -1)  # most are strangers: another scene
        return known, owner

    def _strangers(self, known: Known, owner: Indices) -> Mask:
        """[P] who turned up among known people, where the next frame comes soon enough to find them again."""
        soon = self._time_s - known.seen_s.max(initial=-np.inf) <= SOON_S
        return np.asarray((owner < 0) & soon)

    def _past(self, mine: Known, now: Looks, rows: Indices, people: int) -> Past:
        """Columns of the routing table for P people, of whom `rows` are known."""
        past = Past.unknown(people)
        past.change[rows] = moved(expected_px(mine, mine.kept.joints_px, self._time_s), now.joints_px)
        past.speed[rows] = np.linalg.norm(mine.velocity_px_s, axis=1) / sizes(now.joints_px)
        past.age_s[rows] = np.where(mine.stage == NONE, NEVER_S, np.minimum(self._time_s - mine.deep_s, NEVER_S))
        return past

    def _fits(self, mine: Known, everybody: Looks, covered: Floats, rows: Indices) -> Mask:
        """[K] of the people `rows`, whose deep look may still be carried: there is one, it is not stale, nobody who
        stood before them has gone, and they have not turned (in two frames: one coarse look may mix up the sides)."""
        fresh = (mine.stage != NONE) & (self._time_s - mine.deep_s <= STALE_S)
        unveiled = mine.key_overlap - covered[rows] > UNVEILED
        turning = turned(mine.key_mm, mine.coarse.rel_mm) & turned(mine.key_mm, everybody.rel_mm[rows])
        return np.asarray(fresh & ~unveiled & ~turning)

    def _inputs(self, mine: Known, now: Looks, past: Past) -> Floats:
        """[K, F] in the order of `deviation.INPUTS`, finite."""
        drift_mm = np.linalg.norm(now.rel_mm - mine.key_mm, axis=-1).mean(1)
        offset_mm = np.linalg.norm(mine.offset_mm, axis=-1).mean(1)
        inputs = np.column_stack([
            past.age_s, np.sqrt(past.age_s), drift_mm, np.minimum(past.speed, 10.0), np.minimum(past.change, 3.0),
            now.sigma_mm.mean(1), mine.kept.sigma_mm.mean(1), offset_mm])
        finite: Floats = np.nan_to_num(inputs, nan=0.0, posinf=1e4, neginf=0.0)
        return finite

    def _due(self, age_s: Floats, interval_s: Floats, frames: Indices, off: Floats | None, spent: Floats) -> Mask:
        """[P] who is to be looked at again.

        Args:
            off: [P] expected extra error of this frame, in targets; None: nothing is fitted.
            spent: [P] that of the frames since the look, summed.

        A look begins a run of frames of growing error. With one price of a look for everybody, the target, the errors
        of all runs sum up to the least for their looks where each run ends as soon as another frame would cost more
        than its frames cost on average, the look included. A bound on the frame's error alone would carry those who
        change slowly far too long. With the clock, it runs faster or slower by the root of the error: the clock knows
        how well this person could be carried so far, the regressor what happens now.
        """
        due = np.zeros(len(age_s), bool)
        decide = off if self.reuse.decide else None
        if decide is not None and not self.reuse.clock:
            due |= frames * decide > 1 + spent
        unfitted = self.reuse.decide and off is None
        if self.reuse.clock or (unfitted and self.reuse.every is None and self.reuse.coin is None):
            due |= age_s * (1.0 if decide is None else np.sqrt(decide)) >= interval_s - 1e-6
        if self.reuse.every is not None:
            due |= frames >= self.reuse.every
        if self.reuse.coin is not None:
            due |= self._chance.random(len(age_s)) < self.reuse.coin
        return due
