"""The writer of a chronicle: the same rows however the chunks of a life are gathered."""

import numpy as np
import pytest

from umwelt.behaviours import RandomAgent
from umwelt.core import Metric
from umwelt.life.chronicle import writer
from umwelt.life.chronicle.chronicle import Chronicle
from umwelt.life.chronicle.columns import TaskNames
from umwelt.life.chronicle.writer import ChronicleWriter, Chunk
from umwelt.life.composition import Life
from umwelt.life.engine import Engine
from umwelt.life.rhythm import Rhythm
from umwelt.teachers import Blocks
from umwelt.worlds import Cartpole

RHYTHM = Rhythm(random=7, learn_every=13, updates=0, chunk=13, record_every=10)


@pytest.fixture(scope="module")
def chunks():
    """Chunks of 7 and then of 13 decisions of two seeds, whose windows of 10 are cut by their ends."""
    life = Life(world=Cartpole(batch=2), agent=RandomAgent(), teacher=Blocks(), rhythm=RHYTHM, seeds=2)
    engine, clock, made = Engine(life), 0, []
    value = engine.begin()
    while clock < 72:
        segment = RHYTHM.segment(clock, 72)
        value, (records, _) = engine.advance(value, segment)
        learned = {"learned_reward": np.arange(2 * segment.periods).reshape(2, -1)} if clock > 40 else {}
        made.append(Chunk(clock=clock, segment=segment, records=records, infos=learned))
        clock += segment.ticks
    return life, made


def written(path, life, made, together):
    with Chronicle(path) as chronicle:
        chronicle.declare([Metric(name=name, unit="", meaning="") for name in ("reward", "surprise", "doubt", "learned_reward")])
        writing = ChronicleWriter(life, TaskNames(life.world), chronicle)
        for begin in range(0, len(made), together):
            for chunk in made[begin : begin + together]:
                writing.take(chunk)
            records, ticks = writing.write()
            assert writing.empty
            assert records.kind.shape == (2, ticks, 2)
        return chronicle.digest(), chronicle.series("reward"), chronicle.episodes(), chronicle.series("learned_reward")


def test_what_is_written_does_not_depend_on_how_chunks_were_gathered(tmp_path, chunks):
    life, made = chunks
    assert len(made) == 6
    one = written(tmp_path / "one.db", life, made, 1)
    for together in (2, 4, 6):
        many = written(tmp_path / f"{together}.db", life, made, together)
        assert many[0] == one[0]
        for mine, others in zip(one[1:], many[1:], strict=True):
            for name in mine:
                assert np.array_equal(mine[name], others[name]), name
    clocks = one[1]["clock"][one[1]["seed"] == 0]
    # the multiples of ten, and the ends of the chunks
    assert clocks.tolist() == [7, 10, 20, 30, 33, 40, 46, 50, 59, 60, 70, 72]
    assert (one[2]["length"] == one[2]["end"] - one[2]["begin"]).all()
    assert one[3]["value"].tolist() == [0, 0, 1, 1]


def test_writing_is_due_after_a_moment_or_when_much_was_gathered(tmp_path, chunks, monkeypatch):
    life, made = chunks
    with Chronicle(tmp_path / "due.db") as chronicle:
        writing = ChronicleWriter(life, TaskNames(life.world), chronicle)
        now = writing._written
        monkeypatch.setattr(writer.time, "perf_counter", lambda: now + writer.EVERY / 2)
        writing.take(made[0])
        assert not writing.due
        monkeypatch.setattr(writer, "MOST", 7)
        assert writing.due
        monkeypatch.setattr(writer, "MOST", 8)
        monkeypatch.setattr(writer.time, "perf_counter", lambda: now + writer.EVERY * 2)
        assert writing.due
