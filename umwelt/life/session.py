"""A life in its folder: it is driven, written down, saved and examined, chunk by chunk.

Nothing here changes what a life becomes; it looks on between chunks.
"""

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import jax
import numpy as np

from umwelt.core import DOUBT, SURPRISE, Metric, part
from umwelt.evaluation.exam import Proctor
from umwelt.life.chronicle.chronicle import Chronicle
from umwelt.life.chronicle.columns import Names, means
from umwelt.life.chronicle.writer import Chunk, Scribe
from umwelt.life.composition import Life
from umwelt.life.engine import Engine
from umwelt.life.exams.examine import examine, panel_of
from umwelt.life.exams.expected import film_foresight
from umwelt.life.exams.preview import Glimpses
from umwelt.life.folder.folder import Folder
from umwelt.life.folder.keeper import Keeper
from umwelt.life.saves.saver import Saver
from umwelt.life.saves.spilling import Shelves
from umwelt.life.signals import Signals, Stopped
from umwelt.worlds.batch import with_batch

REWARD = Metric(
    name="reward", unit="the world's own", meaning="reward for each decision, averaged over rows and time", better="up"
)
BASIC = (REWARD, SURPRISE, DOUBT)
BRIEF = 30.0
"""Seconds; the film of a shorter life has no frames."""


@part
class Progress:
    """What a view may show. clock, end: decisions of each row, done and in all. decisions: of all rows.

    phase: what is being done. first_action: the first action of the first row, until there is more to tell.
    returned: mean return of the episodes that ended last, NaN before. seconds: since this process began to live.
    """

    phase: str
    folder: str
    clock: int
    end: int
    decisions: int
    task: str = ""
    returned: float = float("nan")
    surprise: float = float("nan")
    doubt: float = float("nan")
    reward: float = float("nan")
    rate: float = float("nan")
    seconds: float = 0.0
    first_action: str = ""


Watch = Callable[[Progress], None]
Hear = Callable[[], list[tuple[str, str]]]
"""What those who look on have to say, (name, message) of events for the chronicle; it is asked between chunks."""


class Living:
    """One life in its folder, from where it stands until `end` decisions of each row."""

    def __init__(self, life: Life, folder: Folder, end: int, watch: Watch | None = None, hear: Hear | None = None) -> None:
        self.life, self.folder, self.end = life, folder, end
        self.spec = life.world.spec  # some worlds work it out anew each time they are asked
        self.engine = Engine(life)
        self.names = Names(life.world)
        self.chronicle = Chronicle(folder.chronicle)
        self.chronicle.declare((*BASIC, *life.agent.metrics))
        self.scribe = Scribe(life, self.names, self.chronicle)
        self.saver = Saver(folder.checkpoints, self.engine)
        self.proctor = Proctor(life.agent, lambda rows: with_batch(life.world, rows), not self.spec.hosted)
        self.keeper = Keeper(life.world, folder.episodes) if life.keep_episodes else None
        self.shelves = Shelves(folder.path / "memory")
        self.glimpses = Glimpses(self.engine)
        self.progress = Progress(phase="begin", folder=str(folder.path), clock=0, end=end, decisions=0)
        self._watch = watch or (lambda progress: None)
        self._hear = hear or list
        self._began = self._looked = time.perf_counter()
        self._woke, self._told = 0, False
        self._spent: dict[str, float] = {}

    def run(self) -> Any:
        """Live to the end; returns the value of the life. Raises `Stopped` after a signal, when all is saved."""
        with Signals() as signals:
            value, clock = self._wake()
            saved = time.perf_counter()
            while clock < self.end:
                value, clock = self.chunk(value, clock)
                due = self.life.rhythm.probe_every and clock % self.life.rhythm.probe_every == 0
                late = time.perf_counter() - saved > self.life.rhythm.save_seconds
                if due or late or clock == self.end or signals.caught:
                    self.write(value, clock)
                if due or clock == self.end:
                    self._probe(value, clock)
                if late or clock == self.end or signals.caught:
                    self._save(value, clock)
                    saved = time.perf_counter()
                if signals.caught and clock < self.end:
                    self.close(value)
                    raise Stopped(signals.caught)
            self._foresee(value)
        self.close(value)
        return value

    def _wake(self) -> tuple[Any, int]:
        """The life as it was last saved, or newborn."""
        found = self.saver.load()
        if found is None:
            self.chronicle.rewind(-1)
            value = self.engine.begin()
            action = np.ravel(jax.tree.leaves(value[1].decision.action)[0])[:4]
            self._tell(phase="first action", first_action=np.array2string(np.asarray(action), precision=3))
            self._probe(value, 0)
            return value, 0
        clock, value = found.clock, found.value
        self._woke = clock
        if self.keeper:
            self.keeper.resume(found.episodes)
        with self.chronicle.transaction():
            self.chronicle.rewind(clock)
            self.chronicle.event(self.life.seed, clock, "resumed", f"went on from the checkpoint at {clock}")
            for name, note in found.notes:
                self.chronicle.event(self.life.seed, clock, name, note)
        self.scribe.resume()
        self._tell(phase="resumed", clock=clock, decisions=clock * self.spec.batch)
        return value, clock

    def chunk(self, value: Any, clock: int) -> tuple[Any, int]:
        """Drive one segment, and write it down with others when it is time."""
        segment = self.life.rhythm.segment(clock, self.end)
        began = time.perf_counter()
        value, (records, infos) = self.engine.advance(value, segment)
        self._spend("living", began)
        began = time.perf_counter()
        value = (value[0], replace(value[1], agent=self.shelves.spill(value[1].agent)))
        self._spend("memory", began)
        if self.keeper:
            self.keeper.take(records)
        self.scribe.take(Chunk(clock=clock, segment=segment, records=records, infos=infos))
        clock += segment.ticks
        if self.scribe.due:
            self.write(value, clock)
        return value, clock

    def write(self, value: Any, clock: int) -> None:
        """Write down everything lived so far, show it, and take a glimpse where one is due."""
        if self.scribe.empty:
            return
        began = time.perf_counter()
        with self.chronicle.transaction():
            records, ticks = self.scribe.write()
            for event in self._world_events(value):
                self.chronicle.event(self.life.seed, clock, event.name, f"row {event.row}: {event.message}")
            self._write_heard(clock)
            self.chronicle.write_timing(clock, self._spent)
        self._spend("chronicle", began)
        began = time.perf_counter()
        self._glimpse(value, records, clock)
        self._spend("glimpses", began)
        self._look(records, ticks, clock)

    def _glimpse(self, value: Any, records: Any, clock: int) -> None:
        """Now and then, what somebody who looks on would like to see."""
        self.glimpses.take(records, clock)
        rate = (clock - self._woke) / (time.perf_counter() - self._began)
        for found in self.glimpses.look(value, (self.end - clock) / max(rate, 1e-9)):
            task = self.names.of(found.task)
            self.chronicle.write_glimpse(self.life.seed, found.name, found.clock, task, found.begin, found.arrays)
        if self.glimpses.trouble and not self._told:
            self.chronicle.event(self.life.seed, clock, "glimpse", self.glimpses.trouble)
            self._told = True

    def _probe(self, value: Any, clock: int) -> None:
        """Examine every task of the panel; the learner is only read."""
        self._tell(phase="probe", clock=clock)
        began = time.perf_counter()
        panel, results = panel_of(self.life), []
        for index in range(self.life.seeds):
            found = examine(self.proctor, self._mind_agent(value, index), panel, self.life.rhythm.probe_episodes)
            results += [(self.life.seed + index, probe) for probe in found]
        with self.chronicle.transaction():
            for seed, probe in results:
                self.chronicle.write_probe(seed, clock, probe.task, "probe", probe.returns, **probe.statistics)
        self._spend("probe", began)
        self._looked += time.perf_counter() - began

    def _foresee(self, value: Any) -> None:
        """Film what the agent imagines of its first tasks, for pictures of the life."""
        agent = self._mind_agent(value, 0)
        brief = time.perf_counter() - self._began < BRIEF
        film_foresight(self.proctor, self.life.world, agent, panel_of(self.life), self.folder.path / "foresight.npz", brief)

    def _mind_agent(self, value: Any, index: int) -> Any:
        """The agent of one seed."""
        return value[1].agent if self.life.seeds == 1 else jax.tree.map(lambda leaf: leaf[index], value[1].agent)

    def _save(self, value: Any, clock: int) -> None:
        self._tell(phase="save", clock=clock)
        began = time.perf_counter()
        self.chronicle.sync()
        self.shelves.sync(value[1].agent)
        self.saver.save(clock, value, self.keeper.flush() if self.keeper else b"")
        self._spend("saving", began)
        self._looked += time.perf_counter() - began

    def close(self, value: Any) -> None:
        """End the simulators of a hosted world, and put the chronicle away."""
        if self.spec.hosted:
            self.life.world.close(value[0])  # type: ignore[attr-defined]
        self.engine.close()
        self._tell(phase="end")
        self._write_heard(self.progress.clock)
        self.chronicle.close()

    def _write_heard(self, clock: int) -> None:
        for name, message in self._hear():
            self.chronicle.event(self.life.seed, clock, name, message)

    def _world_events(self, value: Any) -> list[Any]:
        return self.life.world.drain(value[0]) if self.spec.hosted else []  # type: ignore[attr-defined]

    def _spend(self, what: str, began: float) -> None:
        self._spent[what] = self._spent.get(what, 0.0) + time.perf_counter() - began

    def _look(self, records: Any, ticks: int, clock: int) -> None:
        """Tell the view how this chunk went."""
        now = time.perf_counter()
        ended = records.kind >= 2
        last = jax.tree.map(lambda leaf: leaf[0, -1, 0], records.task)
        whole = np.zeros(1, np.int64)
        batch = self.spec.batch * self.life.seeds
        self._tell(
            phase="live",
            clock=clock,
            decisions=clock * batch,
            task=self.names.of(last),
            returned=float(records.returns[ended].mean()) if ended.any() else self.progress.returned,
            surprise=float(means(records.surprise.reshape(-1), whole)[0]),
            doubt=float(means(records.doubt.reshape(-1), whole)[0]),
            reward=float(records.reward.mean()),
            rate=ticks * batch / max(now - self._looked, 1e-9),
        )
        self._looked = now

    def _tell(self, **news: Any) -> None:
        self.progress = replace(self.progress, **news, seconds=time.perf_counter() - self._began)
        self._watch(self.progress)
