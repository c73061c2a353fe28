"""A segment runs in parts of a few seconds, wherever it is cut the life stays the same, and it can be saved inside."""

import dataclasses
import math
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import pytest
from drawing_agents import Drawing

from umwelt.check.base import same_values
from umwelt.core import Metric, part, struct
from umwelt.evaluation import proctor
from umwelt.life import pace
from umwelt.life.api import fingerprints, live, resume
from umwelt.life.chronicle.chronicle import Chronicle
from umwelt.life.composition import Life
from umwelt.life.engine import Engine
from umwelt.life.exams.examine import repeated
from umwelt.life.pace import AIM, Pace
from umwelt.life.rhythm import Rhythm, Segment
from umwelt.life.saves.checkpoint import Checkpoints
from umwelt.life.signals import Stopped
from umwelt.teachers import Blocks
from umwelt.worlds import Pendulum


@struct
class Lessons:
    """number: int32 []. drawn: uint32 [], what all lessons drew. rows: int8 [B]."""

    number: Any
    drawn: Any
    rows: Any


@part
class Counting(Drawing):
    """Pushes by what its lessons drew, so that each lesson changes what follows."""

    metrics: tuple[Any, ...] = (Metric(name="drawn", unit="", meaning="the sum of draws"),)

    def init(self, key: Any, spec: Any) -> Lessons:
        return Lessons(number=jnp.int32(0), drawn=jnp.uint32(0), rows=jnp.zeros(spec.batch, jnp.int8))

    def act(self, key: Any, state: Lessons, mode: Any = "explore") -> Any:
        push = (state.drawn % 100).astype(jnp.float32) / 50 - 1
        return state, jnp.full((state.rows.shape[0], 1), push + (jax.random.uniform(key) if mode == "random" else 0.0))

    def learn(self, key: Any, state: Lessons) -> Any:
        after = dataclasses.replace(state, number=state.number + 1, drawn=3 * state.drawn + jax.random.bits(key))
        return after, {"drawn": (after.drawn % 1000).astype(jnp.float32)}


FREQUENT = Rhythm(random=13, learn_every=2, updates=3, first_updates=9, chunk=20, record_every=4, probe_episodes=0)
RARE = dataclasses.replace(FREQUENT, study=3, learn_every=31, updates=7)


def life(rhythm: Rhythm, **options: Any) -> Life:
    world, teacher = Pendulum(batch=2, time_limit=6), Blocks(names=("earth", "moon"), steps=5)
    return Life(world=world, agent=Counting(), teacher=teacher, rhythm=rhythm, **options)


def test_parts_of_a_segment_by_hand() -> None:
    segment = Segment(mode="explore", periods=3, every=4, updates=2, wakes=True)
    assert (segment.period, segment.size, segment.ticks) == (6, 18, 12)
    parts = [segment.between(*ends) for ends in ((0, 12), (12, 15), (15, 16), (16, 17), (17, 18))]
    assert [(each.periods, each.every, each.updates, each.skipped) for each in parts] == [
        (2, 4, 2, 0), (1, 3, 0, 0), (1, 1, 0, 0), (1, 0, 1, 0), (1, 0, 1, 1),
    ]  # fmt: skip
    assert [each.wakes for each in parts] == [False] * 4 + [True]
    assert segment.between(0, 18) == segment


@pytest.mark.parametrize(
    ("segment", "tick", "update"),
    [
        (Segment(mode="explore", periods=1, every=1000, updates=1000), 0.002, 0.1),
        (Segment(mode="explore", periods=100, every=1, updates=1), 0.1, 0.2),
        (Segment(mode="explore", periods=25, every=4, updates=2), 1.5, 3.0),
        (Segment(mode="random", periods=1, every=100, updates=2500), 0.0001, 0.05),
    ],
)
def test_no_part_of_a_segment_takes_longer_than_the_aim(segment: Segment, tick: float, update: float) -> None:
    pacing, done, clock, seconds = Pace(Engine(life(dataclasses.replace(FREQUENT, chunk=100)))), 0, 0, []
    while done < segment.size:
        some = pacing.part(segment, done, clock)
        seconds.append(some.ticks * tick + some.periods * some.updates * update)
        pacing.took(some, seconds[-1] + (20.0 if not done else 0.0))  # the first one compiles
        done, clock = done + some.size, clock + some.ticks
        assert some.ticks <= 100
    assert done == segment.size
    assert sum(seconds) == pytest.approx(segment.periods * (segment.every * tick + segment.updates * update))
    assert max(seconds) <= AIM + 1e-6
    # what is left over where a kind begins, or where a row of the chronicle ends
    assert len(seconds) <= 2.2 * math.ceil(sum(seconds) / AIM) + segment.every / 100 + 5


def test_a_quick_life_runs_a_segment_in_one_program() -> None:
    pacing, segment, parts = Pace(Engine(life(FREQUENT))), Segment(mode="explore", periods=10, every=2, updates=3), []
    for _ in range(3):
        done, count = 0, 0
        while done < segment.size:
            some = pacing.part(segment, done, 0)
            pacing.took(some, 0.001 * some.size)
            done, count = done + some.size, count + 1
        parts.append(count)
    assert parts[1:] == [1, 1]
    pacing.took(segment, 100 * segment.size * 0.001)  # another program had the machine
    assert pacing.part(segment, 0, 0).periods < 10


@pytest.mark.parametrize("driver", ["scan", "host"])
@pytest.mark.parametrize("rhythm", [FREQUENT, RARE], ids=["frequent", "rare"])
def test_a_life_is_the_same_wherever_its_segments_are_cut(
    rhythm: Rhythm, driver: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = life(rhythm, driver=driver)
    for name, aim in (("whole", 1e9), ("cut", 1e-9)):
        monkeypatch.setattr(pace, "AIM", aim)
        live(made, steps=2 * 50, name=name, lives=tmp_path)
    assert fingerprints("cut", lives=tmp_path) == fingerprints("whole", lives=tmp_path)


def acting(what: Callable[[Any], None], phase: str, clock: int = 0) -> Callable[[Any], None]:
    """Does something once, when a phase is reported at that clock or later."""
    happened = []

    def look(progress: Any) -> None:
        if progress.phase.startswith(phase) and progress.clock >= clock and not happened:
            happened.append(progress)
            what(progress)

    return look


def interrupt(progress: Any) -> None:
    signal.raise_signal(signal.SIGINT)


def crash(progress: Any) -> None:
    raise RuntimeError(f"out of power at {progress.clock}")


@pytest.mark.parametrize(("rhythm", "steps"), [(FREQUENT, 25), (RARE, 48)], ids=["frequent", "rare"])
def test_a_signal_stops_a_long_round_of_learning_and_nothing_is_lost(
    rhythm: Rhythm, steps: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = life(rhythm)
    live(made, steps=2 * steps, name="whole", lives=tmp_path)
    monkeypatch.setattr(pace, "AIM", 1e-9)
    with pytest.raises(Stopped):
        live(made, steps=2 * steps, name="stopped", lives=tmp_path, on_progress=acting(interrupt, "update 5 of 9"))
    saves = Checkpoints(tmp_path / "stopped" / "checkpoints")
    saves.load()
    assert saves.latest() == rhythm.study + 13
    assert saves.rest is not None
    assert saves.rest["done"] == 13 + 5
    for phase in ("update 7 of 9", "save", "update 2"):  # killed again and again
        with pytest.raises(RuntimeError, match="out of power"):
            resume("stopped", lives=tmp_path, on_progress=acting(crash, phase))
    resume("stopped", lives=tmp_path)
    assert fingerprints("stopped", lives=tmp_path) == fingerprints("whole", lives=tmp_path)


def test_a_round_that_was_saved_inside_is_written_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = life(dataclasses.replace(RARE, probe_every=44, probe_episodes=1, save_seconds=1e9))
    live(made, steps=2 * 50, name="whole", lives=tmp_path)
    monkeypatch.setattr(pace, "AIM", 1e-9)
    with pytest.raises(Stopped):
        live(made, steps=2 * 50, name="again", lives=tmp_path, on_progress=acting(interrupt, "update 5 of 7"))
    # the round ends, it is written and probed, and then the power fails before a save
    with pytest.raises(RuntimeError, match="out of power at 45"):
        resume("again", lives=tmp_path, on_progress=acting(crash, "live", 45))
    with Chronicle.read(tmp_path / "again" / "chronicle.db") as chronicle:
        assert chronicle.probes()["clock"].max() == chronicle.series("drawn")["clock"].max() == 44
    resume("again", lives=tmp_path)
    assert fingerprints("again", lives=tmp_path) == fingerprints("whole", lives=tmp_path)


def test_a_life_is_saved_at_birth(tmp_path: Path) -> None:
    made = life(FREQUENT)
    live(made, steps=2 * 30, name="whole", lives=tmp_path)
    with pytest.raises(RuntimeError, match="out of power at 1"):
        live(made, steps=2 * 30, name="broken", lives=tmp_path, on_progress=acting(crash, "live"))
    assert Checkpoints(tmp_path / "broken" / "checkpoints").latest() == 0
    resume("broken", lives=tmp_path)
    assert fingerprints("broken", lives=tmp_path) == fingerprints("whole", lives=tmp_path)


@pytest.mark.parametrize("limit", [5, 100])
def test_an_exam_is_the_same_in_many_programs_and_in_one(limit: int, monkeypatch: pytest.MonkeyPatch) -> None:
    world = Pendulum(time_limit=7)
    tasks = repeated({name: world.tasks()[name] for name in ("earth", "moon")}, 2)
    state, exams = Counting().init(jax.random.key(0), world.spec), []
    for seconds, first in ((1e9, 1000), (1e-9, 1)):
        monkeypatch.setattr(proctor, "SECONDS", seconds)
        monkeypatch.setattr(proctor, "FIRST", first)
        sitting = proctor.Proctor(Counting(), lambda rows: dataclasses.replace(world, batch=rows))
        exams.append(sitting.examine(jax.random.key(3), state, tasks, "random", limit))
    assert exams[0].length.tolist() == [min(limit, 7)] * 4
    assert same_values(exams[0], exams[1], "exam") == ""
