"""A life in its folder: it runs, is written down, saved and examined, chunk by chunk.

Nothing here changes what a life becomes; it looks on between chunks. What agent and teacher do between two chunks (a
teacher reflects, a memory goes to disk, a part asks the life's voice) happens here too, and depends on the clock alone.
"""

import os
import signal
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

import jax
import numpy as np

from umwelt.core import DOUBT, SURPRISE, TERMINATED, TRUNCATED, Info, Metric, part
from umwelt.core.contracts import HostedWorld
from umwelt.evaluation.proctor import Proctor, close
from umwelt.life.chronicle.chronicle import Chronicle
from umwelt.life.chronicle.columns import TaskNames, means
from umwelt.life.chronicle.writer import ChronicleWriter, Chunk
from umwelt.life.composition import Life
from umwelt.life.consulting import Consulting
from umwelt.life.engine import Engine
from umwelt.life.exams.examine import examine, panel_of
from umwelt.life.exams.film import film_foresight
from umwelt.life.exams.outcome import Outcome, outcome
from umwelt.life.exams.preview import Glimpses
from umwelt.life.folder.folder import Folder
from umwelt.life.folder.keeper import Keeper
from umwelt.life.pace import Pace
from umwelt.life.rhythm import Segment
from umwelt.life.saves.saver import Saver
from umwelt.life.saves.spilling import Shelves
from umwelt.life.signals import Signals, Stopped
from umwelt.life.spreading import of_seed
from umwelt.worlds import with_batch

REWARD = Metric(
    name="reward", unit="the world's own", meaning="reward for each decision, averaged over rows and time", better="up"
)
BASIC = (REWARD, SURPRISE, DOUBT)
BRIEF = 30.0
"""Seconds; the film of a shorter life has no frames."""


@part
class Progress:
    """What a view may show. clock, end: ticks, done and in all. decisions: of all rows.

    phase: what is being done. first_action: the first action of the first row, until there is more to show.
    returned: mean return of the episodes that ended last, NaN before. seconds: since this process began.
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


OnProgress = Callable[[Progress], None]
Events = Callable[[], list[tuple[str, str]]]
"""(name, message) of events from outside for the chronicle; it is asked between chunks."""


class Living:
    """One life in its folder, from where it stands until the clock shows `end`."""

    def __init__(
        self, life: Life, folder: Folder, end: int, on_progress: OnProgress | None = None, events: Events | None = None
    ) -> None:
        self.life, self.folder, self.end = life, folder, end
        self.spec = life.world.spec  # some worlds work it out each time
        self.engine = Engine(life)
        self.pace = Pace(self.engine)
        self.names = TaskNames(life.world)
        self.chronicle = Chronicle(folder.chronicle)
        self.chronicle.declare((*BASIC, *life.agent.metrics, *getattr(life.teacher, "metrics", ())))
        self.writer = ChronicleWriter(life, self.names, self.chronicle)
        self.saver = Saver(folder.checkpoints, self.engine)
        self.proctor = Proctor(life.agent, lambda rows: with_batch(life.world, rows))
        self.keeper = Keeper(life.world, folder.episodes) if life.keep_episodes else None
        self.shelves = Shelves(folder.path / "memory")
        self.consulting = Consulting(life.voice, life.seeds)
        self.glimpses = Glimpses(self.engine)
        self.progress = Progress(phase="begin", folder=str(folder.path), clock=0, end=end, decisions=0)
        self._on_progress = on_progress or (lambda progress: None)
        self._events = events or list
        self._began = self._looked = time.perf_counter()
        self._woke, self._glimpse_failed = 0, False
        self._reflections: list[tuple[int, Info]] = []
        self._spent: dict[str, float] = {}
        self._signals, self._saved = Signals(self._acknowledge), self._began
        self._rest: tuple[Segment, int] | None = None  # a segment that was left, and how much of it ran

    @property
    def outcome(self) -> Outcome:
        """What the life came to, as arrays."""
        return outcome(self.folder.path)

    def _repr_html_(self) -> str:
        return self.outcome._repr_html_()

    def run(self) -> Any:
        """Run to the end; returns the value of the life. Raises `Stopped` after a signal, when all is saved."""
        with self._signals as signals:
            value, clock = self._wake()
            while clock < self.end or self._rest:
                value, clock = self.chunk(value, clock)
                ended = clock == self.end and not self._rest
                due = self.life.rhythm.probe_every and clock % self.life.rhythm.probe_every == 0 and not self._rest
                late = self._late
                if due or late or ended or signals.caught:
                    self.write(value, clock)
                if due or ended:
                    self._probe(value, clock)
                if late or ended or signals.caught:
                    self._save(value, clock)
                if signals.caught and not ended:
                    self.close(value)
                    raise Stopped(signals.caught)
            self._film(value)
        self.close(value)
        return value

    @property
    def _late(self) -> bool:
        """Whether it is time for a save."""
        return time.perf_counter() - self._saved > self.life.rhythm.save_seconds

    def _acknowledge(self, number: int) -> None:
        """Say that a signal has come, while a program may still run."""
        left = max(0.0, self.pace.seconds - (time.perf_counter() - self.pace.began))
        about = f" in about {left:.0f} s" if left >= 1 else ""
        words = f"umwelt: {signal.Signals(number).name}: it stops{about}, and all is saved then; again to stop now\n"
        os.write(2, f"\n{words}".encode())

    def _wake(self) -> tuple[Any, int]:
        """The life as it was last saved, or one that begins."""
        found = self.saver.load()
        if found is None:
            self.chronicle.rewind(-1)
            value = self.engine.begin(lambda name, message: self.chronicle.event(self.life.seed, 0, name, message))
            action = np.ravel(jax.tree.leaves(value[1].decision.action)[0])[:4]
            self._report(phase="first action", first_action=np.array2string(np.asarray(action), precision=3))
            self._probe(value, 0)
            self._save(value, 0)
            return value, 0
        clock, value = found.clock, found.value
        self._woke, self._rest, self._saved = clock, found.rest, time.perf_counter()
        if self.keeper:
            self.keeper.resume(found.episodes)
        with self.chronicle.transaction():
            self.chronicle.rewind(clock, inside=self._rest is not None)
            self.chronicle.event(self.life.seed, clock, "resumed", f"went on from the checkpoint at {clock}")
            for name, note in found.notes:
                self.chronicle.event(self.life.seed, clock, name, note)
        self.writer.resume()
        self._report(phase="resumed", clock=clock, decisions=self._decisions(clock))
        return value, clock

    def chunk(self, value: Any, clock: int) -> tuple[Any, int]:
        """Drive one segment and what comes between two, and write it down with others when it is time.

        Where the life is to be saved before the segment ends, the next call runs the rest.
        """
        began = time.perf_counter()
        segment, done = self._rest or (self.life.rhythm.segment(clock, self.end), 0)
        value, ran = self.pace.run(value, segment, done, clock, self._pause)
        piece = segment.between(done, ran.done)
        clock += piece.ticks
        self._rest = (segment, ran.done) if ran.done < segment.size else None
        reflects = segment.mode != "study" and not self._rest
        value, reflection = self.engine.reflect(value) if reflects else (value, {})
        if reflection:
            self._reflections.append((clock, reflection))
        self._spend("living", began)
        began = time.perf_counter()
        if not self._rest:
            value = (value[0], self.consulting.consult(replace(value[1], agent=self.shelves.spill(value[1].agent))))
        self._spend("memory", began)
        if self.keeper and ran.records is not None:
            self.keeper.take(ran.records)
        self.writer.take(Chunk(clock=clock - piece.ticks, segment=piece, records=ran.records, infos=ran.infos))
        if self.writer.due:
            self.write(value, clock)
        return value, clock

    def _pause(self, segment: Segment, done: int, clock: int) -> bool:
        """Show how a long segment goes on; returns whether the life is to be saved before it ends."""
        doing = "study" if segment.mode == "study" else "live"
        if (updates := done % segment.period - segment.every) > 0:
            doing = f"update {updates:,} of {segment.updates:,}"
        self._report(phase=doing, clock=clock, decisions=self._decisions(clock))
        return self._late or self._signals.caught is not None

    def write(self, value: Any, clock: int) -> None:
        """Write down all chunks so far, show them, and take a glimpse where one is due."""
        if self.writer.empty:
            return
        began = time.perf_counter()
        with self.chronicle.transaction():
            records, ticks = self.writer.write()
            for event in self._world_events(value):
                self.chronicle.event(self.life.seed, clock, event.name, f"row {event.row}: {event.message}")
            self._write_reflections()
            self._write_events(clock)
            self.chronicle.write_timing(clock, self._spent)
        self._spend("chronicle", began)
        began = time.perf_counter()
        if records is not None:
            self._glimpse(value, records, clock)
        self._spend("glimpses", began)
        self._look(records, ticks, clock)

    def _glimpse(self, value: Any, records: Any, clock: int) -> None:
        """Keep, now and then, what a viewer would like to see."""
        self.glimpses.take(records, clock)
        rate = (clock - self._woke) / (time.perf_counter() - self._began)
        for found in self.glimpses.look(value, (self.end - clock) / max(rate, 1e-9)):
            task = self.names.of(found.task)
            self.chronicle.write_glimpse(self.life.seed, found.name, found.clock, task, found.begin, found.arrays)
        if self.glimpses.trouble and not self._glimpse_failed:
            self.chronicle.event(self.life.seed, clock, "glimpse", self.glimpses.trouble)
            self._glimpse_failed = True

    def _probe(self, value: Any, clock: int) -> None:
        """Examine every task of the panel; the learner is only read."""
        if not self.life.rhythm.probe_episodes:
            return
        self._report(phase="probe", clock=clock)
        began = time.perf_counter()
        panel, results = panel_of(self.life), []
        for index in range(self.life.seeds):
            seed = self.life.seed + index
            found = examine(self.proctor, self._agent_of(value, index), panel, self.life.rhythm.probe_episodes, seed)
            results += [(seed, probe) for probe in found]
        with self.chronicle.transaction():
            for seed, probe in results:
                self.chronicle.write_probe(seed, clock, probe.task, "probe", probe.returns, **probe.statistics, named=probe.named)
        self._spend("probe", began)
        self._looked += time.perf_counter() - began

    def _film(self, value: Any) -> None:
        """Film what the agent imagines of its first tasks, for pictures of the life."""
        if not self.life.rhythm.probe_episodes:
            return
        agent = self._agent_of(value, 0)
        brief = time.perf_counter() - self._began < BRIEF
        film_foresight(self.proctor, self.life.world, agent, panel_of(self.life), self.folder.path / "foresight.npz", brief)

    def _agent_of(self, value: Any, index: int) -> Any:
        """The agent's state of one seed."""
        return value[1].agent if self.life.seeds == 1 else of_seed(value[1].agent, index, self.engine.mesh)

    def _save(self, value: Any, clock: int) -> None:
        self._report(phase="save", clock=clock)
        began = time.perf_counter()
        self.chronicle.sync()
        self.shelves.sync(value[1].agent)
        self.saver.save(clock, value, self.keeper.flush() if self.keeper else b"", self._rest)
        self._saved = time.perf_counter()
        self._spend("saving", began)
        self._looked += time.perf_counter() - began

    def close(self, value: Any) -> None:
        """End the simulators of a hosted world, and close the chronicle."""
        close(self.life.world, value[0])
        self.engine.close()
        self._report(phase="end")
        self._write_events(self.progress.clock)
        self.chronicle.close()

    def _write_events(self, clock: int) -> None:
        """Write the events from outside and from the parts that consulted."""
        notes, self.consulting.notes = self.consulting.notes, []
        for name, message in [*notes, *self._events()]:
            self.chronicle.event(self.life.seed, clock, name, message)

    def _write_reflections(self) -> None:
        """Write the metrics of the teacher's reflection."""
        reflections, self._reflections = self._reflections, []
        for clock, info in reflections:
            for index in range(self.life.seeds):
                values = {name: np.asarray(value[index], np.float64)[None] for name, value in info.items()}
                self.chronicle.write(self.life.seed + index, np.array([clock]), values, again=True)

    def _world_events(self, value: Any) -> list[Any]:
        return cast(HostedWorld, self.life.world).drain(value[0]) if self.spec.hosted else []

    def _spend(self, what: str, began: float) -> None:
        self._spent[what] = self._spent.get(what, 0.0) + time.perf_counter() - began

    def _decisions(self, clock: int) -> int:
        """Decisions of all rows and seeds until `clock`; lessons of a study are none."""
        return max(0, clock - self.life.rhythm.study) * self.spec.batch * self.life.seeds

    def _look(self, records: Any, ticks: int, clock: int) -> None:
        """Show the view how these chunks went. records: None of a study."""
        now = time.perf_counter()
        news: dict[str, Any] = {"phase": "study"}
        if records is not None:
            ended, whole = np.isin(records.kind, (TERMINATED, TRUNCATED)), np.zeros(1, np.int64)
            news = {
                "phase": "live",
                "task": self.names.of(jax.tree.map(lambda leaf: leaf[0, -1, 0], records.task)),
                "returned": float(records.returns[ended].mean()) if ended.any() else self.progress.returned,
                "surprise": float(means(records.surprise.reshape(-1), whole)[0]),
                "doubt": float(means(records.doubt.reshape(-1), whole)[0]),
                "reward": float(records.reward.mean()),
            }
        rate = ticks * self.spec.batch * self.life.seeds / max(now - self._looked, 1e-9)
        self._report(**news, clock=clock, decisions=self._decisions(clock), rate=rate)
        self._looked = now

    def _report(self, **news: Any) -> None:
        self.progress = replace(self.progress, **news, seconds=time.perf_counter() - self._began)
        self._on_progress(self.progress)
