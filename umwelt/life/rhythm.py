"""When to act at random, learn, probe and look up."""

from dataclasses import replace
from typing import Literal

from umwelt.core.contracts import Mode
from umwelt.core.struct import part


@part
class Segment:
    """A stretch of a life between two looks at the outside, or a part of one.

    periods x every ticks. In mode `study` a tick is a lesson: `updates` rounds of learning, and no decision. In the other
    modes a tick is one decision of each row, and after each period come `updates` rounds of learning.
    wakes: the segment ends the study, so the agent decides again on the step that waits. skipped: updates of the only
    period that ran in an earlier part.
    """

    mode: Mode | Literal["study"]
    periods: int
    every: int
    updates: int
    wakes: bool = False
    skipped: int = 0

    @property
    def ticks(self) -> int:
        """Ticks in the whole segment."""
        return self.periods * self.every

    @property
    def period(self) -> int:
        """Ticks and updates of one period, counted together."""
        return self.every + self.updates

    @property
    def size(self) -> int:
        """Ticks and updates of the whole segment, counted together."""
        return self.periods * self.period

    def between(self, begin: int, end: int) -> "Segment":
        """The part from `begin` to `end`, both counted in ticks and updates in their order.

        It consists of whole periods, or lies in one.
        """
        wakes, first = self.wakes and end == self.size, begin % self.period
        if first == end % self.period == 0:
            return replace(self, periods=(end - begin) // self.period, wakes=wakes)
        last = first + end - begin
        ticks, updates = (max(0, min(last, stop) - max(first, start)) for start, stop in ((0, self.every), (self.every, last)))
        return replace(self, periods=1, every=ticks, updates=updates, wakes=wakes, skipped=max(0, first - self.every))


@part
class Rhythm:
    """When to act at random, learn, probe and look up. All counts are ticks: decisions of one row, or lessons.

    A life begins with `study`; then come `random` decisions, then `warm` ones, and then all others.
    """

    study: int = 0
    """Ticks at the start that are lessons from what the agent was shown, without a decision."""
    random: int = 200
    """Decisions after the study that are drawn at random."""
    warm: int = 0
    """Decisions after the random ones that the agent chooses without learning."""
    learn_every: int = 1
    """Decisions between two rounds of learning."""
    updates: int = 1
    """Updates in one round of learning."""
    first_updates: int = 0
    """Updates at once when the random decisions are over."""
    chunk: int = 50
    """Ticks between two looks at the outside: the view, the chronicle, the signals."""
    record_every: int = 10
    """Ticks that one point of the chronicle's metrics averages over."""
    probe_every: int = 0
    """Ticks between two probes; 0 means only before the first and after the last."""
    probe_episodes: int = 3
    """Episodes of each task in one probe; 0 for no probes at all."""
    save_seconds: float = 20.0
    """Seconds between two checkpoints; what a life becomes does not depend on it."""

    @property
    def whole(self) -> Segment:
        """The most that one program with learning runs."""
        periods = max(1, self.chunk // self.learn_every)
        return Segment(mode="explore", periods=periods, every=min(self.learn_every, self.chunk), updates=self.updates)

    @property
    def first_mode(self) -> Mode:
        """How the agent takes its first decision."""
        return "random" if self.random else "explore"

    def shortfall(self, end: int) -> str:
        """A sentence where a life of `end` ticks is over before it learns from what it does; empty where it is not."""
        drawn, warmed = self.study + self.random, self.study + self.random + self.warm
        if end <= self.study:
            return ""
        if end <= drawn:
            decisions = f"all {end - self.study:,} decisions of each row are random (rhythm.random={self.random:,})"
            return f"{decisions}, so it never acts by what it learns; give more steps, or a smaller rhythm.random"
        if end <= warmed:
            return f"it ends before its first lesson (rhythm.warm={self.warm:,}); give more steps, or a smaller rhythm.warm"
        if self.updates and end - warmed < self.learn_every and not self.first_updates:
            return f"it ends before its first lesson (rhythm.learn_every={self.learn_every:,}); give more steps, or a smaller one"
        return ""

    def segment(self, clock: int, end: int) -> Segment:
        """The stretch that follows `clock`. It depends on nothing else, so a resumed life cuts alike."""
        stop = end if not self.probe_every else min(end, (clock // self.probe_every + 1) * self.probe_every)
        drawn, warmed = self.study + self.random, self.study + self.random + self.warm
        if clock < self.study:
            periods = min(self.whole.periods, self.study - clock, stop - clock)
            ends = clock + periods == self.study
            return Segment(mode="study", periods=periods, every=1, updates=self.updates, wakes=ends)
        if clock < drawn:
            every = min(self.chunk, drawn - clock, stop - clock)
            return Segment(mode="random", periods=1, every=every, updates=self.first_updates * (clock + every == drawn))
        if clock < warmed:
            return Segment(mode="explore", periods=1, every=min(self.chunk, warmed - clock, stop - clock), updates=0)
        every = min(self.learn_every, stop - clock)
        periods = max(1, min(self.chunk, stop - clock) // every)
        if not self.updates:
            every, periods = every * periods, 1
        return Segment(mode="explore", periods=periods, every=every, updates=self.updates)
