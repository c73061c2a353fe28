"""When to act at random, learn, probe and look up."""

from umwelt.core.contracts import Mode
from umwelt.core.struct import part


@part
class Segment:
    """A stretch of life that is driven without a look at the outside.

    periods x every decisions of each row; after each period come `updates` rounds of learning.
    """

    mode: Mode
    periods: int
    every: int
    updates: int

    @property
    def ticks(self) -> int:
        """Decisions of each row in the whole segment."""
        return self.periods * self.every


@part
class Rhythm:
    """When to act at random, learn, probe and look up. All counts are decisions of one row."""

    random: int = 200
    """Decisions at the start that are drawn at random."""
    learn_every: int = 1
    """Decisions between two rounds of learning."""
    updates: int = 1
    """Updates in one round of learning."""
    first_updates: int = 0
    """Updates at once when the random decisions are over."""
    chunk: int = 50
    """Decisions between two looks at the outside: the view, the chronicle, the signals."""
    record_every: int = 10
    """Decisions that one point of the chronicle's metrics averages over."""
    probe_every: int = 0
    """Decisions between two probes; 0 means only before the first and after the last."""
    probe_episodes: int = 3
    """Episodes of each task in one probe."""
    save_seconds: float = 20.0
    """Seconds between two checkpoints; what a life becomes does not depend on it."""

    @property
    def whole(self) -> Segment:
        """The longest stretch that is not random; all others are parts of it."""
        return Segment(
            mode="explore", periods=max(1, self.chunk // self.learn_every), every=self.learn_every, updates=self.updates
        )

    def segment(self, clock: int, end: int) -> Segment:
        """The stretch that follows `clock`. It depends on nothing else, so a resumed life cuts alike."""
        stop = end if not self.probe_every else min(end, (clock // self.probe_every + 1) * self.probe_every)
        if clock < self.random:
            every = min(self.chunk, self.random - clock, stop - clock)
            return Segment(mode="random", periods=1, every=every, updates=self.first_updates * (clock + every == self.random))
        every = min(self.learn_every, stop - clock)
        periods = max(1, min(self.chunk, stop - clock) // every)
        return Segment(mode="explore", periods=periods, every=every, updates=self.updates)
