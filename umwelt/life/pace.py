"""Runs a segment in parts of a few seconds, each of them a program of its own.

A program hears no signal and shows nothing until it ends, so a long segment runs as several. How it is cut depends on how
long the parts before it took. What comes of it does not: each tick and each update draws from a key of its own.
"""

import math
import time
from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from umwelt.core import Info, part
from umwelt.life.engine import Engine
from umwelt.life.mind import Mind
from umwelt.life.rhythm import Segment

AIM = 4.0
"""Seconds of a program; where others use the machine too, it takes somewhat longer."""
LEARN = "learn"


@part
class Stretch:
    """How far a segment ran, and what it wrote. done: its ticks and updates so far, counted in their order.

    records: leaves [seeds, ticks, B], or None without decisions. infos: metrics [seeds, periods] of the rounds that ended.
    """

    done: int
    records: Any
    infos: Info


class Pace:
    """Cuts the segments of one life. began, seconds: when the present program began, and how long the last one took."""

    def __init__(self, engine: Engine) -> None:
        self._engine, self._rhythm = engine, engine.life.rhythm
        self._each: dict[str, float] = {}  # seconds of a tick, by mode, and of an update
        self.began, self.seconds = time.perf_counter(), 0.0

    def run(
        self, value: tuple[Any, Mind], segment: Segment, done: int, clock: int, pause: Callable[[Segment, int, int], bool]
    ) -> tuple[tuple[Any, Mind], Stretch]:
        """Run a segment from `done` on, where the clock is `clock`, to its end.

        pause: receives the segment, `done` and the clock between two parts, and returns whether to stop where the life can
        be saved next.
        """
        records, infos = [], []
        while done < segment.size:
            some = self.part(segment, done, clock)
            self.began = time.perf_counter()
            value, (record, info) = self._engine.advance(value, some)
            jax.block_until_ready(value[1])
            self.took(some, time.perf_counter() - self.began)
            done, clock = done + some.size, clock + some.ticks
            if record is not None and some.ticks:
                records.append(record)
            if info and done % segment.period == 0:
                infos.append(info)
            if done < segment.size and pause(segment, done, clock) and self._can_be_saved(segment, done, clock):
                break
        return value, Stretch(done=done, records=_joined(records), infos=_joined(infos) or {})

    def part(self, segment: Segment, done: int, clock: int) -> Segment:
        """What one program runs of a segment after `done`: some periods, some ticks of one, or some updates of one."""
        within = done % segment.period
        each = self._each.get(segment.mode, math.inf), self._each.get(LEARN, math.inf)
        whole = sum(count * seconds for count, seconds in zip((segment.every, segment.updates), each, strict=True) if count)
        fits = int(AIM / whole)
        if within == 0 and fits and segment.every <= self._rhythm.chunk:
            left = segment.periods - done // segment.period
            return segment.between(done, done + segment.period * self._even(fits, left, segment.every, clock))
        if within < segment.every:
            fits = min(max(1, int(AIM / each[0])), self._rhythm.chunk)
            return segment.between(done, done + self._even(fits, segment.every - within, 1, clock))
        fits = max(1, int(AIM / each[1]))
        return segment.between(done, done + min(fits, segment.period - within))

    def took(self, some: Segment, seconds: float) -> None:
        """Learn how long a part took, of which the first one also compiled its program."""
        self.seconds, seconds = seconds, max(seconds, 1e-9)
        counts = {name: count for name, count in ((some.mode, some.ticks), (LEARN, some.periods * some.updates)) if count}
        known = sum(count * self._each.get(name, seconds / count) for name, count in counts.items())
        for name, count in counts.items():
            self._each[name] = self._each.get(name, seconds / count) * seconds / known

    def _even(self, fits: int, left: int, every: int, clock: int) -> int:
        """How many of the `left` times `every` ticks run at once: to where a row of the chronicle ends, if that fits."""
        if fits >= left:
            return left
        record_every = self._rhythm.record_every
        return next((count for count in range(fits, 0, -1) if (clock + count * every) % record_every == 0), fits)

    def _can_be_saved(self, segment: Segment, done: int, clock: int) -> bool:
        """Whether the chronicle can be written up to here, with the rows that it would have if the segment had not stopped.

        A row averages over `record_every` ticks, and it holds the metrics of the last round of learning in them.
        """
        if segment.periods == 1 and done >= segment.every:
            return True
        return (segment.periods == 1 or done % segment.period == 0) and clock % self._rhythm.record_every == 0


def _joined(pieces: list[Any]) -> Any:
    """What the parts wrote, one after the other along axis 1; None where they wrote nothing."""
    return jax.tree.map(lambda *leaves: np.concatenate(leaves, axis=1), *pieces) if pieces else None
